"""A customer: the buyer, except on a redeemed Gifting 1.0 order, where it is the recipient."""

from __future__ import annotations

from typing import Any

from schemas.address import Address
from schemas.base import Resource, ResourceData
from schemas.fields import AnyValue, Email, Flag, Integer, Money, PersonId, StatusWord, Text
from schemas.metadata import Metadata
from schemas.relations import ToMany, ToOne


class Customer(ResourceData, total=False):
    """A customer, as loaded."""

    email: str | None
    first_name: str | None
    last_name: str | None
    name: str | None
    country: str | None
    location: str | None
    num_orders: int | None
    num_subscriptions: int | None
    subscription_status: str | None
    total_revenue: int | None
    accepts_marketing: bool | None
    note: str | None
    status: Any
    _md: Metadata | None
    addresses: list[Address] | None
    carts: list[dict[str, Any]] | None
    logs: list[dict[str, Any]] | None
    notes: list[dict[str, Any]] | None
    orders: list[dict[str, Any]] | None  # Order
    shipments: list[dict[str, Any]] | None  # Shipment
    subscriptions: list[dict[str, Any]] | None  # Subscription


class CustomerSchema(Resource):
    """A customer, as sent."""

    id = PersonId()
    email = Email()
    first_name = Text()
    last_name = Text()
    name = Text()
    country = Text()
    location = Text()
    num_orders = Integer()
    num_subscriptions = Integer()
    subscription_status = StatusWord()
    total_revenue = Money()
    accepts_marketing = Flag()  # absent while the store's checkout does not ask
    note = Text()
    status = AnyValue()  # null in captured payloads, otherwise unknown
    _md = ToOne("metadata")
    addresses = ToMany("address")
    carts = ToMany("any")
    logs = ToMany("any")
    notes = ToMany("any")
    orders = ToMany("order")
    shipments = ToMany("shipment")
    subscriptions = ToMany("subscription")
