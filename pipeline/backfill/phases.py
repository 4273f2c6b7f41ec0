"""What a backfill reads, and in which order. Each phase between the first and the last is a collection of the store.

Subscriptions and orders come before customers, so that each customer's profile is sent once, with all attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.events.fields import format_time
from pipeline.ledger.backfills import ALL, INCREMENTAL, BackfillRow

COUNTING, OTHERS = "counting", "others"
CUSTOMERS = "customers"
PAGE_SIZE = 100  # objects

# kind -> its phases. Cratejoy does not say when a customer last changed: all are read to find what has changed.
PHASES = {
    ALL: (COUNTING, "subscriptions", "orders", CUSTOMERS, OTHERS),
    INCREMENTAL: ("orders", CUSTOMERS, OTHERS),
}
# collection -> the relations that profiles are made of. The list replaces the resource's default relations.
RELATIONS = {
    "subscriptions": ("customer", "term", "product", "instance", "subscription_gift_info"),
    "orders": ("customer",),
    CUSTOMERS: ("addresses",),
}


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The request for the pages of a phase."""

    resource: str
    filters: Mapping[str, str]
    relations: tuple[str, ...]


def build_page_query(row: BackfillRow) -> PageQuery:
    """The request for the phase that a backfill is in."""
    since = {"placed_at__ge": format_time(row.changes_since)} if row.changes_since and row.phase == "orders" else {}
    return PageQuery(row.phase, since, RELATIONS[row.phase])


def get_collections(kind: str) -> tuple[str, ...]:
    """The collections that a kind of backfill reads."""
    return tuple(phase for phase in PHASES[kind] if phase in RELATIONS)


def get_next_phase(kind: str, phase: str) -> str | None:
    """The next phase; None after the last."""
    phases = PHASES[kind]
    position = phases.index(phase) + 1
    return phases[position] if position < len(phases) else None
