"""What the pages say of a box: its state, its kind and the reason, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.ledger.queries.fulfilment import BoxCount

BILLING_TYPES: Mapping[str, str] = {
    "ecom": "one-off orders",
    "adhoc": "ad-hoc subscriptions",
    "standard": "standard subscriptions",
}
# state -> the kind of its mark in parts.html, and its words
STATES: Mapping[str, tuple[str, str]] = {
    "discovered": ("catching_up", "waits"),
    "held": ("needs_you", "held"),
    "ready": ("catching_up", "goes next"),
    "sending": ("catching_up", "is being sent"),
    "unknown": ("catching_up", "no sure answer"),
    "at_warehouse": ("catching_up", "at the warehouse"),
    "partially_shipped": ("catching_up", "shipped in part"),
    "shipped": ("catching_up", "shipped"),
    "confirming": ("catching_up", "is being confirmed"),
    "confirmed": ("working", "confirmed"),
    "cancel_requested": ("catching_up", "is being cancelled"),
    "cancel_refused": ("needs_you", "not cancelled"),
    "cancelled": ("not_started", "cancelled"),
    "skipped": ("not_started", "left out"),
    "failed": ("needs_you", "failed"),
    "shipped_after_cancel": ("needs_you", "shipped after its cancel"),
    "externally_shipped": ("not_started", "shipped by another"),
    "cancelled_at_warehouse": ("needs_you", "cancelled by the warehouse"),
}


@dataclass(frozen=True, slots=True)
class CountedReason:
    """Boxes in one state for one reason. `counts`: billing type -> how many."""

    state: str
    reason: str | None
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def why(self) -> str:
        """Why they are in this state, as a sentence."""
        return describe_reason(self.reason)


def describe_reason(code: str | None) -> str:
    """What a reason says; "" without one."""
    known = REASONS.get(code or "")
    return known.text if known else (code or "").replace("_", " ")


def describe_cure(code: str | None) -> str:
    """What ends a reason; "" where nothing has to."""
    known = REASONS.get(code or "")
    return known.cure if known else ""


def gather_counts(counts: Iterable[BoxCount]) -> list[CountedReason]:
    """Put the billing types of each state and reason together, in the order in which a box goes through states."""
    found: dict[tuple[str, str | None], dict[str, int]] = {}
    for one in counts:
        found.setdefault((one.state, one.reason), {})[one.billing_type] = one.count
    order = {state: place for place, state in enumerate(STATES)}
    rows = [CountedReason(state, reason, numbers) for (state, reason), numbers in found.items()]
    return sorted(rows, key=lambda row: (order.get(row.state, len(order)), -row.total, row.reason or ""))
