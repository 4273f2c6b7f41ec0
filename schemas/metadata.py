"""Metadata: free JSON that a merchant stores with a customer, an order, a subscription, a product or a cart."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.fields import AnyValue, Id, Time


class Metadata(ResourceData, total=False):
    """Metadata, as loaded."""

    created_at: str | None
    updated_at: str | None
    store_id: int | None
    customer_id: int | None
    order_id: int | None
    subscription_id: int | None
    product_id: int | None
    cart_id: int | None
    data: Any


class MetadataSchema(Resource):
    """Metadata, as sent."""

    created_at = Time()
    updated_at = Time()
    store_id = Id()
    customer_id = Id()
    order_id = Id()
    subscription_id = Id()
    product_id = Id()
    cart_id = Id()
    data = AnyValue()
