"""A product of the shop: a box, a single item or a gift card."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas.base import Resource, ResourceData
from schemas.billing import Billing
from schemas.fields import AnyValue, Flag, Id, Integer, Money, Number, Text
from schemas.metadata import Metadata
from schemas.relations import ToMany, ToOne


class Product(ResourceData, total=False):
    """A product, as loaded."""

    name: str | None
    description: str | None
    sku: str | None
    slug: str | None
    store_id: int | None
    product_billing_id: int | None
    product_type: Any
    ship_option: Any
    flat_ship_price: int | None
    ship_weight: float | None
    gift_shipping: Any
    giftable: bool | None
    has_subscribers: bool | None
    listed: bool | None
    reviewable: bool | None
    single_purchasable: bool | None
    visible: bool | None
    deleted: bool | None
    mp_visible: bool | None
    display_order: int | None
    max_subs: int | None
    subscribe_flow: Any
    subscribe_flow_data: Any
    meta: Any
    metadata: Any
    rule_types: Any
    images: Any
    variants: Any
    _md: Metadata | None
    billing: Billing | None
    base_term_prices: list[dict[str, Any]] | None
    gift_term_prices: list[dict[str, Any]] | None
    gift_terms: list[dict[str, Any]] | None
    gift_instances: list[dict[str, Any]] | None
    instances: list[dict[str, Any]] | None  # ProductInstance
    subscription_types: list[dict[str, Any]] | None


class ProductSchema(Resource):
    """A product, as sent."""

    aliases: ClassVar = {"giftinstances": "gift_instances", "ruletypes": "rule_types"}  # the keys of Cratejoy's sample

    name = Text()
    description = Text()
    sku = Text()
    slug = Text()
    store_id = Id()
    product_billing_id = Id()
    product_type = AnyValue()  # 0 subscription, 1 one-time, 2 gift card
    ship_option = AnyValue()  # a word on products, a number where nested in a subscription (seen in a captured payload)
    flat_ship_price = Money()
    ship_weight = Number()
    gift_shipping = AnyValue()
    giftable = Flag()
    has_subscribers = Flag()
    listed = Flag()
    reviewable = Flag()
    single_purchasable = Flag()
    visible = Flag()
    deleted = Flag()
    mp_visible = Flag()
    display_order = Integer()
    max_subs = Integer()
    subscribe_flow = AnyValue()
    subscribe_flow_data = AnyValue()
    meta = AnyValue()
    metadata = AnyValue()
    rule_types = AnyValue()
    images = AnyValue()
    variants = AnyValue()
    _md = ToOne("metadata")
    billing = ToOne("billing")
    base_term_prices = ToMany("any")
    gift_term_prices = ToMany("any")
    gift_terms = ToMany("any")
    gift_instances = ToMany("any")
    instances = ToMany("product_instance")
    subscription_types = ToMany("any")
