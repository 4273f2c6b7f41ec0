"""Reads what was seen: the shipment, and the answers of the warehouse, as one word of the tables each."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CancelAnswer,
    Cancelled,
    CancelPending,
    CreateAnswer,
    Created,
    FindAnswer,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    State,
    Unsupported,
    WarehouseOrder,
)
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.eligibility import Verdict
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.rules.tracking_numbers import normalize_tracking_number
from pipeline.fulfilment.same_box import Comparison

_BY_STATE = {
    State.DISCOVERED: Seen.WAITS,
    State.HELD: Seen.HOLDS,
    State.READY: Seen.DUE,
    State.SKIPPED: Seen.EXCLUDED,
}
_BY_ANSWER: dict[type, Seen] = {
    Created: Seen.CREATED,
    AlreadyExists: Seen.EXISTS,
    Invalid: Seen.REJECTED,
    OutcomeUnknown: Seen.OUTCOME_UNKNOWN,
    NotFound: Seen.NOT_FOUND,
    Cancelled: Seen.CANCEL_DONE,
    CancelPending: Seen.CANCEL_PENDING,
    Refused: Seen.CANCEL_REFUSED,
    Unsupported: Seen.CANCEL_UNSUPPORTED,
    Retryable: Seen.NOT_DONE,
    RateLimited: Seen.NOT_NOW,
    AuthError: Seen.NOT_NOW,
}
_BY_REASON = {"cancelled_before_load": Seen.CANCELLED, "unpaid": Seen.UNPAID}


def see_shipment(
    shipment: Shipment, verdict: Verdict, tracking_numbers: Collection[str] = (), *, is_changed: bool = False
) -> Seen:
    """Return what a look at the shipment shows.

    `tracking_numbers`: those of the order's parcels. `is_changed`: the order as it would be built now is not the one
    that was sent or refused (`changes.py`).
    """
    if shipment.status == "shipped":
        ours = set(map(normalize_tracking_number, tracking_numbers)) - {""}
        theirs = set(map(normalize_tracking_number, shipment.tracking_number.split(",")))
        return Seen.SHIPPED_AS_OURS if ours & theirs else Seen.SHIPPED_ELSEWHERE
    seen = _BY_REASON.get(verdict.reason, _BY_STATE[verdict.state])
    return Seen.DUE_CHANGED if seen is Seen.DUE and is_changed else seen


def see_create(answer: CreateAnswer, comparison: Comparison = "not_shown", *, may_be_ours: bool = True) -> Seen:
    """Return what the answer to a create shows. `comparison`: of the box in an AlreadyExists, if it shows one.

    `may_be_ours`: as for `see_find`; an order of which nothing is shown is looked up, else.
    """
    if isinstance(answer, AlreadyExists) and answer.found and (may_be_ours or comparison != "not_shown"):
        return see_find(answer.found, comparison)
    if isinstance(answer, Retryable) and answer.may_be_done:
        return Seen.MAY_BE_DONE
    return _BY_ANSWER[type(answer)]


def see_find(answer: FindAnswer, comparison: Comparison = "not_shown", *, may_be_ours: bool = True) -> Seen:
    """Return what a look-up shows.

    `may_be_ours`: an earlier create may have made the order. A warehouse that does not show the content is then taken
    at its word: the number is ours. Else it may be the order of another shop.

    A box that was shipped already is FOUND: its parcels come with the tracking.
    """
    if not isinstance(answer, WarehouseOrder):
        return _BY_ANSWER[type(answer)]
    if answer.progress == "cancelled":
        return Seen.FOUND_CANCELLED
    is_other = comparison == "different" or (comparison == "not_shown" and not may_be_ours)
    return Seen.FOUND_OTHER if is_other else Seen.FOUND


def see_cancel(answer: CancelAnswer) -> Seen:
    """Return what the answer to a cancel shows."""
    return Seen.CANCEL_UNKNOWN if isinstance(answer, OutcomeUnknown) else _BY_ANSWER[type(answer)]
