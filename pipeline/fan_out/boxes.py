"""What is in a box: the product of a product instance, and its variants such as size and flavour.

The API's two versions write a variant in two shapes (reference of both: `schemas/product_instance.py`). An order's
products pass as they were sent, so both shapes are read here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import get_first
from pipeline.fan_out.customers import get_fulfillments
from pipeline.fan_out.slugs import build_slug, cut_value

MAX_VARIANTS = 20  # of one product instance
Box = dict[str, Any]


def read_variants(instance: object) -> dict[str, str] | None:
    """The variants of a product instance, as {"size": "M"}; None if it does not say which it has.

    Two variants whose types have one slug are joined, as several choices of one are.
    """
    variants = instance.get("variants") if isinstance(instance, dict) else None
    if not isinstance(variants, list):
        return None
    found: dict[str, str] = {}
    for variant in variants:
        name, value = get_first(variant, ("variant_type.name", "name", "type")), _get_value(variant)
        slug = build_slug(name) if isinstance(name, str) else None
        if slug and value and (slug in found or len(found) < MAX_VARIANTS):
            found[slug] = cut_value(f"{found[slug]}, {value}" if slug in found else value)
    return found


def build_boxes(row: EventRow, data: Mapping[str, Any]) -> list[Box]:
    """What an order, a subscription or a shipment holds; a box about which nothing is known is left out."""
    boxes = _BUILDERS[row.subject](data) if row.subject in _BUILDERS else ()
    return [box for box in boxes if box]


def _get_value(variant: object) -> str | None:
    value = get_first(variant, ("variant_value.value", "value"))
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _build_order_boxes(order: Mapping[str, Any]) -> Iterator[Box]:
    products = [item for item in order.get("products") or () if isinstance(item, dict)]
    for item in products:
        instance = get_first(item, ("product_instance", "instance"))
        quantity = {"quantity": item["quantity"]} if isinstance(item.get("quantity"), int) else {}
        box = _describe(instance if isinstance(instance, dict) else item, item.get("product"))
        yield box | quantity if box else {}
    if not products:
        for subscription in order.get("subscriptions") or ():
            yield from _build_subscription_boxes(subscription)


def _build_subscription_boxes(subscription: Mapping[str, Any]) -> Iterator[Box]:
    yield _describe(subscription.get("product_instance"), subscription.get("product"))


def _build_shipment_boxes(shipment: Mapping[str, Any]) -> Iterator[Box]:
    for item in get_fulfillments(shipment):
        yield _describe(item.get("product_instance"), None) | _build_place(item)


def _build_place(fulfillment: Mapping[str, Any]) -> Box:
    """Which box of how many. Cycles count from 0; -1 marks a box that the store's staff added."""
    number, of = fulfillment.get("cycle_number"), fulfillment.get("total_cycles")
    return {"number": number + 1, "of": of} if isinstance(number, int) and number >= 0 else {}


def _describe(instance: object, product: object) -> Box:
    own = instance if isinstance(instance, dict) else {}
    product = product if isinstance(product, dict) else own.get("product")
    both = {"instance": own, "product": product}
    found = {
        "product_id": get_first(both, ("product.id", "instance.product_id")),
        "name": get_first(both, ("product.name", "instance.name")),
        "sku": get_first(both, ("instance.sku", "product.sku")),
        "variants": read_variants(own) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


_BUILDERS = {"order": _build_order_boxes, "subscription": _build_subscription_boxes, "shipment": _build_shipment_boxes}
