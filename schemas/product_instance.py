"""A product instance: one combination of a product's variants, the item that is packed."""

from __future__ import annotations

from typing import Any

from schemas.base import Body, Resource, ResourceData
from schemas.fields import AnyValue, Flag, Id, Money, Number, Text
from schemas.product import Product
from schemas.relations import ToMany, ToOne
from schemas.report import Report, Trail
from schemas.term import TermPrice


class Variant(ResourceData, total=False):
    """A variant, as loaded."""

    name: str | None
    value: str | None


class VariantSchema(Resource):
    """A variant, as sent."""

    name = Text()
    value = Text()

    def reshape(self, body: Body, report: Report, trail: Trail) -> Body:
        body = super().reshape(body, report, trail)
        for key, part in (("variant_type", "name"), ("variant_value", "value")):
            # v1 writes {"variant_type": {"name": …}, "variant_value": {"value": …}}.
            if isinstance(body.get(key), dict):
                body = {name: value for name, value in body.items() if name != key} | {part: body[key].get(part)}
        if "type" in body and "name" not in body:
            # v1.1 writes {"type": …, "value": …}.
            body = {name: value for name, value in body.items() if name != "type"} | {"name": body["type"]}
        return body


class ProductInstance(ResourceData, total=False):
    """A product instance, as loaded."""

    name: str | None
    price: int | None
    sku: str | None
    ship_weight: float | None
    product_id: int | None
    deleted: bool | None
    gift: bool | None
    inventory: Any
    images: Any
    product: Product | None
    term_prices: list[TermPrice] | None
    variants: list[Variant] | None


class ProductInstanceSchema(Resource):
    """A product instance, as sent."""

    name = Text()
    price = Money()
    sku = Text()
    ship_weight = Number()
    product_id = Id()
    deleted = Flag()
    gift = Flag()  # Gifting 1.0's mark of a purchase; always false today
    inventory = AnyValue()  # only null was ever captured
    images = AnyValue()
    product = ToOne("product")
    term_prices = ToMany("term_price")
    variants = ToMany("variant")
