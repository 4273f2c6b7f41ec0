"""Does what a decision asks of the warehouse, one call after another: each is decided and committed before the next.

Between two commits there is one call. A worker that is killed leaves the state of before the call, which says that the
outcome is not known; what follows then begins with a look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CancelAnswer,
    CreateAnswer,
    Created,
    FindAnswer,
    Invalid,
    Order,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    WarehouseOrder,
    get_wait_s,
)
from pipeline.fulfilment.rules.decision.deliveries import NUMBER_TAKEN
from pipeline.fulfilment.rules.decision.sights import see_cancel, see_create, see_find
from pipeline.fulfilment.rules.decision.words import Action, Seen
from pipeline.fulfilment.same_box import compare_box
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.settle import SECOND_US, Sighting, settle
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.orders import OrderRow
from pipeline.ledger.fulfilment.warehouses import KEYS_REFUSED as SHUT_BY_KEYS
from pipeline.ledger.fulfilment.warehouses import find_warehouse, pause_warehouse, update_warehouse

CANCEL_REASON = "Cancelled in Cratejoy"
KEYS_REFUSED = "the warehouse refuses the keys"
_FIRST_PAUSE_S, _MAX_PAUSE_S, _MAX_DOUBLINGS = 5.0, 600.0, 10
_Answer = CreateAnswer | FindAnswer | CancelAnswer


@dataclass(frozen=True, slots=True)
class Called:
    """A box after the calls. `must_stop`: the warehouse is in trouble, and nothing else is asked of it now."""

    row: OrderRow
    must_stop: bool = False


def run_calls(site: Site, row: OrderRow, action: Action, order: Order | None, *, is_absent: bool = False) -> Called:
    """Call until nothing is left to call. `order`: the box as it was committed; only a create, and comparing, need it.

    `is_absent`: the warehouse has just said, of many numbers, that it has no order of this one. That stands for the
    look-up before a first create, and for no other.

    Raises OrderChanged if another worker has changed the row: what was called is then found by the next look-up.
    """
    must_stop = False
    while action in (Action.LOOK_UP, Action.CREATE, Action.ASK_CANCEL) and not must_stop:
        if action is Action.LOOK_UP and not site.warehouse.capabilities.finds:
            sighting, answer = Sighting(Seen.CANNOT_LOOK_UP), None
        elif action is Action.LOOK_UP and is_absent and not row.may_exist:
            sighting, answer = Sighting(Seen.NOT_FOUND), None
        else:
            answer = _call(site, row, action, order)
            sighting = _read(action, answer, order, may_be_ours=row.may_exist and row.reason != NUMBER_TAKEN)
        with writing(site.engine) as conn:
            must_stop = note_trouble(conn, site, answer)
            row, action = settle(conn, site, row, sighting)
        is_absent = False
    return Called(row, must_stop)


def _call(site: Site, row: OrderRow, action: Action, order: Order | None) -> _Answer:
    if action is Action.LOOK_UP:
        return site.warehouse.find(row.order_number, row.external_id or "")
    if action is Action.ASK_CANCEL:
        return site.warehouse.cancel(row.order_number, row.external_id or "", CANCEL_REASON)
    if order is None:
        raise ValueError(f"order {row.id}: nothing to create")
    return site.warehouse.create(order)


def _read(action: Action, answer: _Answer, order: Order | None, *, may_be_ours: bool) -> Sighting:
    """What the answer shows, with the codes and columns that come with it."""
    found = answer.found if isinstance(answer, AlreadyExists) else answer
    comparison = compare_box(order, found) if order and isinstance(found, WarehouseOrder) else "not_shown"
    if action is Action.ASK_CANCEL:
        seen = see_cancel(answer)  # type: ignore[arg-type]
    elif action is Action.CREATE:
        seen = see_create(answer, comparison, may_be_ours=may_be_ours)  # type: ignore[arg-type]
    else:
        seen = see_find(answer, comparison, may_be_ours=may_be_ours)  # type: ignore[arg-type]
    columns: dict[str, object] = {}
    if isinstance(found, Created | WarehouseOrder):
        columns = {"external_id": found.external_id or None, "external_version": found.version or None}
    detail: dict[str, object] = {}
    if isinstance(answer, Invalid):
        detail = {"fields": [list(one) for one in answer.fields]}
        columns = {"detail": {"fields": [list(one) for one in answer.fields]}}
    if isinstance(answer, Refused | Retryable | OutcomeUnknown | AuthError):
        detail = {"answer": answer.reason}
    after_s = answer.after_s if isinstance(answer, Retryable | RateLimited) else None
    return Sighting(seen, detail=detail, columns=columns, after_s=after_s)


def note_trouble(conn: Connection, site: Site, answer: object) -> bool:
    """Write down whether the warehouse can be called; returns whether to stop calling it for now.

    A rate limit and a fault let all boxes wait; refused keys pause the warehouse until a person has looked.
    """
    row = find_warehouse(conn, site.store_id)
    if row is None or row.is_shut:
        return True
    now = site.now()
    if isinstance(answer, AuthError):
        update_warehouse(conn, site.store_id, trouble=SHUT_BY_KEYS)
        if pause_warehouse(conn, site.store_id, f"{KEYS_REFUSED}: {answer.reason}", now):
            add_fulfilment_event(conn, About(site.store_id), EventDraft("paused", "keys_refused"), now)
            log.warning("a warehouse is paused", store=site.store_id, reason=answer.reason)
        return True
    if isinstance(answer, RateLimited | Retryable | OutcomeUnknown) and row.wait_until > now and row.trouble:
        return True  # another call that was under way has just met with it: it counts once
    if isinstance(answer, RateLimited):
        in_a_row = row.failures if row.trouble == "rate_limit" else 0
        wait_s = get_wait_s(answer, in_a_row)
        failures = {"failures": in_a_row + 1, "trouble": "rate_limit"} if answer.doubles else {}
        update_warehouse(conn, site.store_id, wait_until=now + round(wait_s * SECOND_US), **failures)
        return True
    if isinstance(answer, Retryable | OutcomeUnknown):
        doubled = _FIRST_PAUSE_S * 2 ** min(row.failures, _MAX_DOUBLINGS)
        wait_s = min(_MAX_PAUSE_S, max(doubled, getattr(answer, "after_s", None) or 0.0))
        until = now + round(wait_s * SECOND_US)
        update_warehouse(conn, site.store_id, wait_until=until, failures=row.failures + 1, trouble="no_answer")
        return True
    if (row.failures or row.trouble) and row.wait_until <= now:
        update_warehouse(conn, site.store_id, failures=0, trouble=None)
    return False
