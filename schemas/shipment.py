"""A shipment: one box on its way to one address."""

from __future__ import annotations

from typing import Any

from schemas.address import Address
from schemas.base import Resource, ResourceData
from schemas.batch import Batch
from schemas.customer import Customer
from schemas.fields import AnyValue, Flag, Id, Integer, PersonId, StatusWord, Text, Time
from schemas.fulfillment import Fulfillment
from schemas.label import Label
from schemas.metadata import Metadata
from schemas.relations import ToMany, ToOne
from schemas.subscription import Subscription

STATUS = {1: "unshipped", 2: "shipped", 3: "cancelled"}


class ShipmentStats(ResourceData, total=False):
    """How many boxes the customer and the subscription have had, as loaded."""

    customer_cycle: int | None
    subscription_cycle: int | None
    has_addon: bool | None


class ShipmentStatsSchema(Resource):
    """How many boxes the customer and the subscription have had, as sent."""

    customer_cycle = Integer()
    subscription_cycle = Integer()
    has_addon = Flag()


class Shipment(ResourceData, total=False):
    """A shipment, as loaded."""

    customer_id: int | None
    batch_id: int | None
    status: str | None
    tracking_number: str | None
    tracking_link: str | None
    carrier_name: str | None
    billing_type: str | None
    adjusted_ordered_at: str | None
    target_at: str | None
    created_at: str | None
    shipped_at: str | None
    is_gift: bool | None
    is_ecom: bool | None
    is_test: bool | None
    feedback_responses: Any
    sub_cycle: int | None
    cust_cycle: int | None
    _md: Metadata | None
    batch: Batch | None
    customer: Customer | None
    label_batch: dict[str, Any] | None
    ship_address: Address | None
    stats: ShipmentStats | None
    fulfillments: list[Fulfillment] | None
    labels: list[Label] | None
    subscriptions: list[Subscription] | None


class ShipmentSchema(Resource):
    """A shipment, as sent."""

    customer_id = PersonId()
    batch_id = Id()
    status = StatusWord(STATUS)
    tracking_number = Text()
    tracking_link = Text()
    carrier_name = Text()
    billing_type = StatusWord()
    adjusted_ordered_at = Time()
    target_at = Time()
    created_at = Time()
    shipped_at = Time()
    is_gift = Flag()
    is_ecom = Flag()
    is_test = Flag()
    feedback_responses = AnyValue()
    sub_cycle = Integer()
    cust_cycle = Integer()
    _md = ToOne("metadata")
    batch = ToOne("batch")
    customer = ToOne("customer")
    label_batch = ToOne("any")
    ship_address = ToOne("address")
    stats = ToOne("shipment_stats")
    fulfillments = ToMany("fulfillment")
    labels = ToMany("label")
    subscriptions = ToMany("subscription")
