"""What the pages say of a box: its state, its kind and the reason, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.ledger.fulfilment.warehouses import DRY_RUN, WarehouseRow
from pipeline.ledger.queries.fulfilment import BoxCount
from receiver.pages.filters import number

BILLING_TYPES: Mapping[str, str] = {
    "ecom": "one-off order",
    "adhoc": "ad-hoc subscription",
    "standard": "standard subscription",
}
# state -> the kind of its mark in parts.html, and its words
STATES: Mapping[str, tuple[str, str]] = {
    "discovered": ("catching_up", "waits"),
    "held": ("needs_you", "held"),
    "ready": ("catching_up", "ready"),
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
# kind of an event of the fulfilment -> what happened
EVENTS: Mapping[str, str] = {
    "found": "Found at Cratejoy",
    "sent_again": "Sent again by a person",
    "changed": "Changed at Cratejoy after it was sent",
    "waits": "Cratejoy was asked: it waits",
    "holds": "Cratejoy was asked: it is held",
    "unpaid": "Cratejoy was asked: it is not paid",
    "due": "Cratejoy was asked: it is due",
    "due_changed": "Cratejoy was asked: it is due, and has changed",
    "excluded": "Left out by the settings",
    "cancelled": "Cancelled at Cratejoy",
    "shipped_elsewhere": "Marked as shipped at Cratejoy by another",
    "shipped_as_ours": "Cratejoy shows our tracking number",
    "gone": "Cratejoy has the shipment no more",
    "turn": "Its turn to go to the warehouse",
    "created": "The warehouse took the order",
    "exists": "The warehouse has an order of this number already",
    "found_other": "The warehouse has another order under this number",
    "found_cancelled": "The warehouse has the order as cancelled",
    "not_found": "The warehouse does not have the order",
    "rejected": "The warehouse refused the order",
    "not_done": "The warehouse did not take it: tried again later",
    "not_now": "The warehouse asked us to wait",
    "may_be_done": "No sure answer, and a repetition is harmless",
    "outcome_unknown": "No sure answer of the warehouse",
    "stuck": "Its worker was gone for ten minutes",
    "cannot_look_up": "The warehouse cannot be asked for it",
    "exhausted": "Tried for as long as it is tried",
    "complete": "The warehouse has shipped it",
    "partial": "The warehouse has shipped a part of it",
    "extra_package": "The warehouse reported a further parcel",
    "without_tracking": "Shipped, without a tracking number so far",
    "tracking_overdue": "Shipped for a day without a tracking number",
    "warehouse_cancelled": "The warehouse cancelled it",
    "warehouse_stopped": "The warehouse has an error with the order",
    "confirm_turn": "Its tracking is about to be written to Cratejoy",
    "confirm_done": "Cratejoy took the tracking number, and mails the customer",
    "confirm_later": "Cratejoy could not be written to: tried again later",
    "confirm_rejected": "Cratejoy refused the tracking number",
    "other_tracking": "Cratejoy has another tracking number",
    "cancel_done": "The warehouse cancelled it in time",
    "cancel_pending": "The warehouse took the cancel, without an answer so far",
    "cancel_refused": "The warehouse refused to cancel it",
    "cancel_unsupported": "The warehouse cannot be asked to cancel",
    "cancel_unknown": "No answer to the cancel",
    "tracking_updated": "A further tracking number was written to Cratejoy",
    "tracking_refused": "Cratejoy refused a further tracking number",
    "acknowledged": "The warehouse knows that the shop has the tracking number",
    "notice_seen": "The notice was put away",
    "release": "Released by a person",
    "retry": "Tried again, as a person wanted",
    "mark_sent": "A person said that the warehouse has it",
    "write_tracking": "A person had its tracking written to Cratejoy",
    "ignore": "A person left it as it is",
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
    def of_which(self) -> str:
        """How many of them are billed how: `2 one-off orders, 1 ad-hoc subscription`."""
        return ", ".join(f"{number(count)} {_count_noun(kind, count)}" for kind, count in self.counts.items())

    @property
    def why(self) -> str:
        """Why they are in this state, as a sentence."""
        return describe_reason(self.reason)


def describe_billing_type(kind: str) -> str:
    """How one box is billed; it is not known before Cratejoy has said so."""
    return BILLING_TYPES.get(kind, "not known yet")


def describe_job(job: str) -> str:
    """What a search of Cratejoy reads: `pull_ecom` reads one-off orders."""
    return _count_noun(job.removeprefix("pull_"), 0)


def _count_noun(kind: str, count: int) -> str:
    return f"{BILLING_TYPES[kind]}{'' if count == 1 else 's'}" if kind in BILLING_TYPES else describe_billing_type(kind)


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


def describe_standstill(row: WarehouseRow) -> str:
    """Why no box goes out now, as part of a sentence; "" where boxes go out."""
    if row.mode == DRY_RUN:
        return "the warehouse is in dry run"
    return "" if row.is_live else "the warehouse is paused"


def describe_event(kind: str) -> str:
    """What an event of the fulfilment says happened."""
    return EVENTS.get(kind, kind.replace("_", " "))
