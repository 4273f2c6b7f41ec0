"""What a backfill reads, in which order. Each phase but the first and the last is one collection of the store.

What enriches a profile comes before the customers, so that a customer's profile is told once, with everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.events.fields import format_time
from pipeline.ledger.backfills import ALL, INCREMENTAL, BackfillRow

COUNTING, OTHERS = "counting", "others"
CUSTOMERS = "customers"
PAGE_SIZE = 100  # objects asked for at once

# kind -> its phases. Cratejoy names no moment at which a customer last changed: only reading them all finds changes.
PHASES = {
    ALL: (COUNTING, "subscriptions", "orders", CUSTOMERS, OTHERS),
    INCREMENTAL: ("orders", CUSTOMERS, OTHERS),
}
# collection -> the relations its profiles need. A given list replaces the resource's usual one.
RELATIONS = {
    "subscriptions": ("customer", "term", "product", "subscription_gift_info"),
    "orders": ("customer",),
    CUSTOMERS: ("addresses",),
}


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What the pages of a phase are asked with."""

    resource: str
    filters: Mapping[str, str]
    relations: tuple[str, ...]


def build_page_query(row: BackfillRow) -> PageQuery:
    """The question of the phase a backfill is in."""
    since = {"placed_at__ge": format_time(row.changes_since)} if row.changes_since and row.phase == "orders" else {}
    return PageQuery(row.phase, since, RELATIONS[row.phase])


def get_collections(kind: str) -> tuple[str, ...]:
    """The collections a kind of backfill reads."""
    return tuple(phase for phase in PHASES[kind] if phase in RELATIONS)


def get_next_phase(kind: str, phase: str) -> str | None:
    """The next phase; None: this was the last."""
    phases = PHASES[kind]
    following = phases.index(phase) + 1
    return phases[following] if following < len(phases) else None
