"""An order, and what its status numbers mean."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas.address import Address
from schemas.base import Resource, ResourceData
from schemas.customer import Customer
from schemas.fields import AnyValue, Flag, Id, Money, PersonId, StatusWord, Text, Time
from schemas.gifts import Gift, OrderGiftInfo
from schemas.metadata import Metadata
from schemas.relations import ToMany, ToOne
from schemas.subscription import Subscription

STATUS = {1: "open", 2: "closed"}
FULFILLMENT_STATUS = {1: "unfulfilled", 2: "partial", 3: "fulfilled"}
FEE_STATUS = {1: "paid", 2: "pending_renewal", 3: "unpaid"}


class Order(ResourceData, total=False):
    """An order, as loaded."""

    customer_id: int | None
    store_id: int | None
    status: str | None
    financial_status: str | None
    fulfillment_status: str | None
    placed_at: str | None
    is_renewal: bool | None
    is_test: bool | None
    is_gift: bool | None
    gift_message: str | None
    gift_renewal_notif: bool | None
    note: str | None
    source: Any
    sub_total: int | None
    total: int | None
    total_price: int | None
    total_shipping: int | None
    total_tax: int | None
    gross_shipping: int | None
    credit_applied: int | None
    gift_card_discount: int | None
    card_refunded_amount: int | None
    refunded_amount: int | None
    refund_applied: int | None
    prorated_charge: int | None
    total_app_fees: int | None
    total_label_cost: int | None
    total_pending_fees: int | None
    transaction_fee: int | None
    transaction_fee_status: str | None
    _md: Metadata | None
    bill_address: Address | None
    cart: dict[str, Any] | None
    customer: Customer | None
    order_gift_info: OrderGiftInfo | None
    received_gift: Gift | None
    sent_gift: Gift | None
    ship_address: Address | None
    coupons: list[dict[str, Any]] | None
    fulfillments: list[dict[str, Any]] | None  # Fulfillment
    gifts: list[Gift] | None
    logs: list[dict[str, Any]] | None
    products: list[dict[str, Any]] | None
    subscriptions: list[Subscription] | None
    transactions: list[dict[str, Any]] | None  # Transaction


class OrderSchema(Resource):
    """An order, as sent."""

    aliases: ClassVar = {
        "subscription": "subscriptions",  # a receiver of order_new reads this key; the API has a list
        "transaction_fes": "transaction_fee",  # the spelling in Cratejoy's table
        "transaction_fees": "transaction_fee",  # the spelling of one client
    }

    customer_id = PersonId()
    store_id = Id()
    status = StatusWord(STATUS)
    financial_status = StatusWord()  # the table is lost; "paid" was seen
    fulfillment_status = StatusWord(FULFILLMENT_STATUS)
    placed_at = Time()
    is_renewal = Flag()
    is_test = Flag()
    is_gift = Flag()
    gift_message = Text()  # older orders; today it is in order_gift_info
    gift_renewal_notif = Flag()
    note = Text()
    source = AnyValue()  # where it was placed; undocumented, as a subscription's
    sub_total = Money()
    total = Money()
    total_price = Money()
    total_shipping = Money()
    total_tax = Money()
    gross_shipping = Money()
    credit_applied = Money()
    gift_card_discount = Money()
    card_refunded_amount = Money()
    refunded_amount = Money()
    refund_applied = Money()
    prorated_charge = Money()
    total_app_fees = Money()
    total_label_cost = Money()
    total_pending_fees = Money()
    transaction_fee = Money()
    transaction_fee_status = StatusWord(FEE_STATUS)
    _md = ToOne("metadata")
    bill_address = ToOne("address")
    cart = ToOne("any")
    customer = ToOne("customer")
    order_gift_info = ToOne("order_gift_info")
    received_gift = ToOne("gift")
    sent_gift = ToOne("gift")
    ship_address = ToOne("address")
    coupons = ToMany("any")
    fulfillments = ToMany("fulfillment")
    gifts = ToMany("gift")
    logs = ToMany("any")
    products = ToMany("any")  # cart products; their fields are undocumented
    subscriptions = ToMany("subscription")
    transactions = ToMany("transaction")
