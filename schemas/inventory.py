"""The stock of one product instance."""

from __future__ import annotations

from schemas.base import Resource, ResourceData
from schemas.fields import Flag, Id, Integer
from schemas.product import Product
from schemas.relations import ToOne


class Inventory(ResourceData, total=False):
    """Stock, as loaded."""

    confidence: int | None
    product_id: int | None
    product_instance_id: int | None
    quantity_on_hand: int | None
    out_of_stock_purchases: bool | None
    track_inventory: bool | None
    product: Product | None


class InventorySchema(Resource):
    """Stock, as sent."""

    confidence = Integer()
    product_id = Id()
    product_instance_id = Id()
    quantity_on_hand = Integer()
    out_of_stock_purchases = Flag()
    track_inventory = Flag()
    product = ToOne("product")
