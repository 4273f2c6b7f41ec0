"""Writes what a decision says into the row of a box, with the event, and when it is tried again.

The decision is pure; this writes it if the row is still as it was read. Nothing is called here: the caller does what
the decision asks for after its transaction is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.confirm import find_confirm_time
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import Action, Decision, Seen, Standing
from pipeline.fulfilment.rules.retries import Work, find_next_attempt
from pipeline.fulfilment.site import Site, as_detail
from pipeline.fulfilment.steps.notices import load_notices
from pipeline.infra import metrics
from pipeline.ledger.fulfilment.events import EventDraft
from pipeline.ledger.fulfilment.orders import OrderRow, change_order
from pipeline.ledger.fulfilment.personal import KEPT_US

SECOND_US = 1_000_000
# What is being tried while an order is in the state; its failures are counted together.
WORK: Mapping[State, Work] = {
    State.READY: "deliver",
    State.SENDING: "deliver",
    State.UNKNOWN: "deliver",
    State.SHIPPED: "confirm",
    State.CONFIRMING: "confirm",
    State.CANCEL_REQUESTED: "cancel",
}
# Made only by the worker that has the row at this moment: another may have gone on while this one slept.
_CHANGING_CALLS = frozenset({Action.CREATE, Action.ASK_CANCEL})
# From which tracking is written to Cratejoy: not before the time that the settings say.
_CONFIRMED_FROM = (State.SHIPPED, State.PARTIALLY_SHIPPED)
FINISHED = frozenset(
    {
        State.CONFIRMED,
        State.CANCELLED,
        State.SKIPPED,
        State.SHIPPED_AFTER_CANCEL,
        State.EXTERNALLY_SHIPPED,
        State.CANCELLED_AT_WAREHOUSE,
    }
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen, and what comes with it. `columns`: further changes of the row. `after_s`: asked for by the other.

    `reason`, `detail`: codes, such as the verdict's reason. `user_id`: the person who wants it.
    """

    seen: Seen
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    after_s: float | None = None
    user_id: int | None = None


def get_standing(row: OrderRow) -> Standing:
    """Where the box stands, as the rules look at it."""
    reason = row.reason or ""
    return Standing(row.state, reason, row.may_exist, row.is_cancel_wanted, row.missed_at, row.is_elsewhere)


def settle(conn: Connection, site: Site, row: OrderRow, sighting: Sighting) -> tuple[OrderRow, Action]:
    """Decide, and write the decision; returns the row as it is then, and what is to be done after the commit.

    Raises OrderChanged if another worker has changed the row since it was read.
    """
    now = site.now()
    decision = decide(get_standing(row), sighting.seen, site.policy, now, sighting.reason)
    if decision.notice not in ("", row.notice) and decision.notice in load_notices(conn, [row.id]).put_away:
        decision = replace(decision, notice="")
    changes = _plan_retry(site, row, decision, sighting, now)
    if changes is None:
        exhausted = replace(get_standing(row), state=decision.state, reason=decision.reason, missed_at=None)
        exhausted = replace(exhausted, may_exist=decision.may_exist, is_cancel_wanted=decision.is_cancel_wanted)
        decision = decide(exhausted, Seen.EXHAUSTED, site.policy, now)
        changes = {"attempts": 0, "trying_since": None, "next_attempt_at": 0}
    changes |= _plan_columns(site, row, decision, now)
    changes |= sighting.columns
    changes = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changes:
        is_safe = decision.action not in _CHANGING_CALLS
        return (row if is_safe else change_order(conn, row, now)), decision.action
    event = _build_event(row, decision, sighting, site.calls.take())
    changed = change_order(conn, row, now, event, **changes)
    if changed.state != row.state:
        metrics.FULFILMENT_ORDERS.labels(changed.state.value).inc()
    return changed, decision.action


def _plan_retry(site: Site, row: OrderRow, decision: Decision, sighting: Sighting, now: int) -> dict[str, Any] | None:
    """When it is tried next, after what failed in a row; None: it was tried for as long as it is tried."""
    if decision.is_failure or _is_doubtful(row, decision):
        return _plan_after_failure(row, decision, sighting, now)
    if decision.wait_s is not None:
        return {"next_attempt_at": now + decision.wait_s * SECOND_US}
    if decision.state is row.state:
        return {}
    if (row.state, decision.state) == (State.UNKNOWN, State.READY) and row.trying_since is not None:
        next_at = find_next_attempt("deliver", max(row.attempts, 1), row.trying_since, now)
        return None if next_at is None else {"next_attempt_at": next_at}
    next_at = now + round(sighting.after_s * SECOND_US) if sighting.after_s else 0
    is_confirmed_next = decision.state in _CONFIRMED_FROM and decision.action is Action.CONFIRM
    if is_confirmed_next and row.state is not State.CONFIRMING:
        shipped_at = sighting.columns.get("shipped_at", row.shipped_at)
        next_at = max(now, find_confirm_time(shipped_at or now, site.settings))
    is_same_work = WORK.get(row.state) == WORK.get(decision.state)
    return {"next_attempt_at": next_at} | ({} if is_same_work else {"attempts": 0, "trying_since": None})


def _plan_after_failure(row: OrderRow, decision: Decision, sighting: Sighting, now: int) -> dict[str, Any] | None:
    work = WORK.get(decision.state) or WORK.get(row.state) or "deliver"
    failures, since = row.attempts + 1, now if row.trying_since is None else row.trying_since
    next_at = find_next_attempt(work, failures, since, now, sighting.after_s)
    if next_at is None:
        return None
    if decision.action is not Action.NONE:
        next_at = 0  # done at once, by this worker or, if it is killed, by the next
    elif decision.wait_s is not None:
        next_at = now + decision.wait_s * SECOND_US
    return {"attempts": failures, "trying_since": since, "next_attempt_at": next_at}


def _is_doubtful(row: OrderRow, decision: Decision) -> bool:
    """Whether a call has ended without a sure answer: that counts as an attempt, too."""
    return row.state is State.SENDING and decision.state is State.UNKNOWN and decision.may_exist


def _plan_columns(site: Site, row: OrderRow, decision: Decision, now: int) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "state": decision.state,
        "reason": decision.reason or None,
        "may_exist": decision.may_exist,
        "is_cancel_wanted": decision.is_cancel_wanted,
        "missed_at": decision.missed_at,
    }
    if decision.state is State.AT_WAREHOUSE and row.sent_at is None:
        changes["sent_at"] = now
    if decision.state is State.CONFIRMED and row.confirmed_at is None:
        changes["confirmed_at"] = now
    if decision.state is not row.state:
        changes["purge_at"] = now + KEPT_US if decision.state in FINISHED else None
        changes["detail"] = None
    if decision.action is Action.ACKNOWLEDGE and site.warehouse.capabilities.acknowledges:
        changes["acknowledge_at"] = now
    if decision.action is Action.UPDATE_TRACKING:
        changes["update_at"] = now
    if decision.notice and decision.notice != row.notice:
        changes |= {"notice": decision.notice, "notice_at": now}
    return changes


def _build_event(row: OrderRow, decision: Decision, sighting: Sighting, calls: Mapping[str, Any]) -> EventDraft | None:
    """The event; None where only a time or a copy of Cratejoy's data changed."""
    is_worth_it = (
        decision.state is not row.state
        or decision.is_failure
        or decision.notice not in ("", row.notice)
        or (decision.reason or None) != row.reason
        or decision.is_cancel_wanted != row.is_cancel_wanted
        or sighting.user_id is not None
    )
    if not is_worth_it:
        return None
    detail = as_detail({**sighting.detail, **calls, "notice": decision.notice})
    return EventDraft(sighting.seen.value, decision.reason or sighting.reason or None, detail, sighting.user_id)
