"""Waves: gifts, sizes and countries of a batch that are packed apart, such as gifts with their printed cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipeline.core.fulfilment import Order
from pipeline.fulfilment.rules.countries import find_country
from pipeline.fulfilment.settings import Wave

REST = "rest"


def find_wave(order: Order, waves: Sequence[Wave]) -> str:
    """Return the name of the first wave that a box belongs to, or `rest`."""
    return next((wave.name for wave in waves if _belongs(order, wave)), REST)


def split_waves(orders: Iterable[Order], waves: Sequence[Wave]) -> dict[str, list[Order]]:
    """Return the boxes of each wave that has any, in the order of the settings, the rest last."""
    found: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        found[find_wave(order, waves)].append(order)
    return {name: found[name] for name in (*(wave.name for wave in waves), REST) if name in found}


def _belongs(order: Order, wave: Wave) -> bool:
    return (
        (wave.gift is None or wave.gift == order.is_gift)
        and (not wave.countries or find_country(order.ship_to.country) in wave.countries)
        and (not wave.variants or any(_has_variant(order, text) for text in wave.variants))
    )


def _has_variant(order: Order, text: str) -> bool:
    """Return whether a line's description has the variant, such as "Size: Large" or only "Large"."""
    wanted = text.casefold()
    return any(wanted in _split_variants(line.description.casefold()) for line in order.lines)


def _split_variants(description: str) -> set[str]:
    """Return the variants of "Tea Box (Size: Medium, Color: Red)", with and without their names."""
    _, _, inside = description.rpartition(" (")
    parts = [part.strip() for part in inside.removesuffix(")").split(", ")]
    return {*parts, *(part.partition(": ")[2] for part in parts)}
