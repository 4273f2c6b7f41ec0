"""The SKU that the warehouse is given: Cratejoy's, with the suffix of the settings, then by its alias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.fulfilment.rules.shipment import Item, Shipment
from pipeline.fulfilment.settings import FulfilmentSettings

_LAST_WEEK = 52  # Extensiv's page has the weeks 01 to 52; ISO's week 53 becomes 52


@dataclass(frozen=True, slots=True)
class SuffixFacts:
    """What a suffix is made of."""

    target_at: int | None  # µs
    cycle: int | None  # from 1


def _format_month(facts: SuffixFacts) -> str | None:
    return None if facts.target_at is None else _to_datetime(facts.target_at).strftime("-%y%m")


def _format_week(facts: SuffixFacts) -> str | None:
    if facts.target_at is None:
        return None
    year, week, _ = _to_datetime(facts.target_at).isocalendar()
    return f"-{year % 100:02}{min(week, _LAST_WEEK):02}"


def _format_cycle(facts: SuffixFacts) -> str | None:
    return None if facts.cycle is None else f"-{facts.cycle}"


def _no_suffix(_: SuffixFacts) -> str | None:
    return ""


# The reason if the suffix cannot be made, beside how it is made.
_SUFFIXES: dict[str, tuple[Callable[[SuffixFacts], str | None], str]] = {
    "none": (_no_suffix, ""),
    "yymm": (_format_month, "missing_date"),
    "year_week": (_format_week, "missing_date"),
    "cycle": (_format_cycle, "missing_cycle"),
}


class NoSku(Exception):
    """There is no SKU for an item. `reason`: a code of `reasons.py`."""

    def __init__(self, reason: str, item_id: int) -> None:
        super().__init__(f"fulfillment {item_id}: {reason}")
        self.reason = reason
        self.item_id = item_id


def is_subscription_item(item: Item, shipment: Shipment) -> bool:
    """Return whether an item is a subscription's. If no item names a subscription, the billing type decides."""
    if any(other.subscription_id is not None for other in shipment.items):
        return item.subscription_id is not None
    return shipment.billing_type in {"adhoc", "standard"}


def find_sku(item: Item, shipment: Shipment, facts: SuffixFacts, settings: FulfilmentSettings) -> str:
    """Return the SKU for the warehouse. Raises NoSku.

    Only items of subscriptions have a suffix. The alias of the SKU with its suffix comes first, then that of the bare
    one, which replaces the suffix, too: the seller has named what the warehouse is to be given.
    """
    if not item.sku:
        raise NoSku("missing_sku", item.id)
    suffix = ""
    if is_subscription_item(item, shipment):
        make, reason = _SUFFIXES[settings.sku_suffix]
        made = make(facts)
        if made is None:
            raise NoSku(reason, item.id)
        suffix = made
    with_suffix = f"{item.sku}{suffix}"
    aliases = settings.sku_aliases
    return aliases.get(with_suffix) or aliases.get(item.sku) or with_suffix


def is_wanted(sku: str, settings: FulfilmentSettings) -> bool:
    """Return whether the item filter lets an item of Cratejoy's SKU in. One without a SKU is not filtered, but held."""
    if settings.item_filter == "none" or not sku:
        return True
    return (sku in settings.item_filter_skus) == (settings.item_filter == "allow")


def _to_datetime(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC)
