"""A subscription, and what its status numbers mean."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas.address import Address
from schemas.base import Resource, ResourceData
from schemas.billing import Billing
from schemas.customer import Customer
from schemas.fields import AnyValue, Flag, Id, Money, PersonId, StatusWord, Text, Time
from schemas.gifts import SubscriptionGiftInfo
from schemas.metadata import Metadata
from schemas.product import Product
from schemas.product_instance import ProductInstance
from schemas.relations import ToMany, ToOne
from schemas.term import Term

STATUS = {
    1: "unpaid",
    2: "active",
    3: "cancelled",
    4: "suspended",
    5: "expired",
    6: "past_due",
    7: "pending_renewal",
    8: "renewing",
    9: "unpaid_order_failed",  # Cratejoy's table prints a second 8
}


class Subscription(ResourceData, total=False):
    """A subscription, as loaded."""

    store_id: int | None
    customer_id: int | None
    product_billing_id: int | None
    term_id: int | None
    status: str | None
    autorenew: bool | None
    start_date: str | None
    end_date: str | None
    skipped_date: str | None
    credit: int | None
    revenue: int | None
    billing_name: str | None
    note: str | None
    is_test: bool | None
    is_gift: bool | None
    source: Any
    cancel_reason: Any
    _md: Metadata | None
    address: Address | None
    billing: Billing | None
    customer: Customer | None
    product: Product | None
    product_instance: ProductInstance | None
    subscription_gift_info: SubscriptionGiftInfo | None
    term: Term | None
    cart_products: list[dict[str, Any]] | None
    coupons: list[dict[str, Any]] | None
    fulfillments: list[dict[str, Any]] | None  # Fulfillment
    logs: list[dict[str, Any]] | None
    orders: list[dict[str, Any]] | None  # Order
    shipments: list[dict[str, Any]] | None  # Shipment


class SubscriptionSchema(Resource):
    """A subscription, as sent."""

    aliases: ClassVar = {"instance": "product_instance"}  # Cratejoy's docs and a client of the live API disagree

    store_id = Id()
    customer_id = PersonId()
    product_billing_id = Id()
    term_id = Id()
    status = StatusWord(STATUS)
    autorenew = Flag()
    start_date = Time()
    end_date = Time()  # the next renewal, or the end of what is paid for, even after a cancellation
    skipped_date = Time()
    credit = Money()
    revenue = Money()
    billing_name = Text()
    note = Text()
    is_test = Flag()
    is_gift = Flag()
    source = AnyValue()  # a number whose meaning is unknown (seen in one client)
    cancel_reason = AnyValue()  # a number; the table is lost
    _md = ToOne("metadata")
    address = ToOne("address")
    billing = ToOne("billing")
    customer = ToOne("customer")
    product = ToOne("product")
    product_instance = ToOne("product_instance")
    subscription_gift_info = ToOne("subscription_gift_info")
    term = ToOne("term")
    cart_products = ToMany("any")
    coupons = ToMany("any")
    fulfillments = ToMany("fulfillment")
    logs = ToMany("any")
    orders = ToMany("order")
    shipments = ToMany("shipment")
