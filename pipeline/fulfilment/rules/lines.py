"""The lines of an order: equal items joined, since Cratejoy has one fulfillment for each thing and no quantity."""

from __future__ import annotations

from pipeline.core.fulfilment import Line
from pipeline.fulfilment.rules.shipment import Item, Shipment
from pipeline.fulfilment.rules.skus import SuffixFacts, find_sku, is_wanted
from pipeline.fulfilment.settings import FulfilmentSettings


def build_lines(
    shipment: Shipment, facts: SuffixFacts, settings: FulfilmentSettings, *, has_prices: bool
) -> tuple[Line, ...]:
    """Return the lines in the order in which Cratejoy has the items. Raises NoSku for an item without a SKU.

    Items with the same product instance, SKU and price are one line. `has_prices`: False for gifts, and for boxes of
    subscriptions, whose Cratejoy order pays for several boxes.
    """
    groups: dict[tuple[int | None, str, str, str, int], list[Item]] = {}
    for item in shipment.open_items:
        if not is_wanted(item.sku, settings):
            continue
        sku = find_sku(item, shipment, facts, settings)
        price = item.price if has_prices else 0
        groups.setdefault((item.instance_id, sku, item.sku, describe(item), price), []).append(item)
    return tuple(
        Line(
            line_no=number,
            sku=sku,
            source_sku=source_sku,
            description=description,
            quantity=len(items),
            fulfillment_ids=tuple(sorted(item.id for item in items)),
            unit_price=price,
        )
        for number, ((_, sku, source_sku, description, price), items) in enumerate(groups.items(), start=1)
    )


def describe(item: Item) -> str:
    """Return the name of an item with its variants: "Tea Box (Size: Medium, Color: Red)"."""
    variants = ", ".join(f"{name}: {value}" if name else value for name, value in item.variants)
    name = item.name or item.sku
    return f"{name} ({variants})" if variants else name
