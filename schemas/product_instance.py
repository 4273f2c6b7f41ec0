"""A product instance: the thing that is packed, one combination of a product's variants."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.fields import Flag, Id, Money, Number, Open, Text
from schemas.product import Product
from schemas.relations import Many, One
from schemas.term import TermPrice
from schemas.variant import Variant


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
    inventory = Open()  # only null was ever captured
    images = Open()
    product = One("product")
    term_prices = Many("term_price")
    variants = Many("variant")
