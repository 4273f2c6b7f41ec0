"""A fulfillment: one product instance inside a shipment, and the order that paid for it."""

from __future__ import annotations

from typing import ClassVar

from schemas.base import Resource, ResourceData
from schemas.fields import Flag, Id, Integer, Money, StatusWord, Time
from schemas.order import Order
from schemas.product_instance import ProductInstance
from schemas.relations import ToOne


class Fulfillment(ResourceData, total=False):
    """A fulfillment, as loaded."""

    shipment_id: int | None
    subscription_id: int | None
    status: str | None
    fulfillment_date: str | None
    adjusted_fulfillment_date: str | None
    cycle_number: int | None
    total_cycles: int | None
    shipping: int | None
    tax: int | None
    is_test: bool | None
    test: bool | None
    order: Order | None
    product_instance: ProductInstance | None


class FulfillmentSchema(Resource):
    """A fulfillment, as sent."""

    aliases: ClassVar = {"instance": "product_instance"}

    shipment_id = Id()
    subscription_id = Id()
    status = StatusWord()
    fulfillment_date = Time()
    adjusted_fulfillment_date = Time()
    cycle_number = Integer()  # from 0; -1 for a box an admin of Cratejoy created
    total_cycles = Integer()
    shipping = Money()
    tax = Money()
    is_test = Flag()
    test = Flag()
    order = ToOne("order")
    product_instance = ToOne("product_instance")
