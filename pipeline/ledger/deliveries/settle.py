"""Records the outcomes of claimed deliveries, and the calls that carried them, of several lanes at once.

Each message is written once, if it is still claimed: one whose person was erased meanwhile stays stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, case, func, select, update

from pipeline.core.errors import StaleFence
from pipeline.core.messages import CallRecord, ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.ledger.counts.arrivals import count_arrivals
from pipeline.ledger.deliveries.due import find_next_priorities
from pipeline.ledger.deliveries.forgetting import settle_forget_requests
from pipeline.ledger.deliveries.lanes import HeldLane, LaneId, lane_params, lock_lanes
from pipeline.ledger.deliveries.status import IS_CLAIMED, OPEN, PENDING
from pipeline.ledger.schema.core import Call, Delivery, DeliveryCall, Lane, ProfileSent
from pipeline.ledger.sql.bulk import execute_bulk, insert_returning_ids, insert_rows, upsert
from pipeline.ledger.sql.tables import build_given_rows, get_given

_THIS_LANE = Lane.connection_id == bindparam("of_connection"), Lane.lane == bindparam("of_lane")
_END_CLAIM = update(Lane.__table__).where(*_THIS_LANE).values(sent=Lane.sent + bindparam("more"), claimed_to=None)
_WAIT_ATTEMPTS = bindparam("attempts", type_=Lane.attempts.type)
_SET_WAIT = (
    update(Lane.__table__)
    .where(*_THIS_LANE)
    .values(
        next_attempt_at=bindparam("next_attempt_at"),
        attempts=_WAIT_ATTEMPTS,
        reason=bindparam("reason"),
        # Since when there have been failures only: since the holder that met the first one acquired the lane.
        failing_since=case(
            (_WAIT_ATTEMPTS == 0, None),
            (_WAIT_ATTEMPTS == 1, Lane.taken_at),
            else_=func.coalesce(Lane.failing_since, Lane.taken_at),
        ),
    )
)

DeliveryOutcome = tuple[int, Outcome]  # a delivery's id and its outcome
_OUTCOME_VALUES: dict[str, Any] = {
    name: bindparam(f"new_{name}") for name in ("status", "done_at", "notes", "reason", "detail")
}
_CALL_COLUMNS = ("method", "endpoint", "status", "items", "error", "started_at", "duration_us")


@dataclass(frozen=True, slots=True)
class LaneWait:
    """Until when a lane waits (µs; 0: it is due), its failures in a row, and why."""

    next_attempt_at: int = 0
    attempts: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcomes of one lane's send, in the order of its messages, and its calls. `wait`: None leaves the lane's."""

    held: HeldLane
    outcomes: Sequence[DeliveryOutcome]
    calls: Sequence[CallRecord] = ()
    wait: LaneWait | None = None
    may_have_more: bool = True  # whether it is worth asking what is next


@dataclass(slots=True)
class Settled:
    """The lanes that another holder has taken, of which nothing was written; what is next in those with more."""

    lost: set[LaneId] = field(default_factory=set)
    next_priority: dict[LaneId, int] = field(default_factory=dict)


def settle_lanes(conn: Connection, settlements: Sequence[Settlement], now: int) -> Settled:
    """Record the outcomes of several lanes' sends, of which none is named twice.

    Sent and rejected deliveries are done; the others wait in their old place. Settling twice changes no outcome.
    """
    newest = lock_lanes(conn, [one.held.id for one in settlements])
    mine = [one for one in settlements if newest.get(one.held.id) == one.held.token]
    settled = Settled({one.held.id for one in settlements} - {one.held.id for one in mine})
    changed = _write_outcomes(conn, mine, now)
    sent = [row for row in changed if row.status == "sent"]
    _write_lanes(conn, mine, sent)
    _mark_profiles_sent(conn, {(row.connection_id, row.person_id) for row in sent if row.kind == "profile"})
    if forgotten := [row.id for row in changed if row.kind == "forget" and row.status != "pending"]:
        settle_forget_requests(conn, forgotten, now)
    _write_calls(conn, mine, {row.id for row in changed})
    count_arrivals(conn, [row.id for row in sent if row.kind == "event" and row.event_id is not None], now)
    if more := [one.held.id for one in mine if one.may_have_more]:
        settled.next_priority = find_next_priorities(conn, more)
    return settled


def settle(
    conn: Connection, held: HeldLane, settled: Sequence[DeliveryOutcome], calls: Sequence[CallRecord], now: int
) -> None:
    """Record the outcomes of one lane's send. Raise StaleFence if the lane has a newer holder."""
    if settle_lanes(conn, [Settlement(held, settled, calls)], now).lost:
        raise StaleFence(f"lane {held.connection_id}/{held.lane}: token {held.token} is not the newest")


def _write_outcomes(conn: Connection, settlements: Sequence[Settlement], now: int) -> list[Row[Any]]:
    """Deliveries with the same outcome are updated by one statement. Nearly always that is all of them."""
    groups: dict[Outcome, list[int]] = {}
    for settlement in settlements:
        for id_, outcome in settlement.outcomes:
            groups.setdefault(outcome, []).append(id_)
    statement = _build_outcome(conn.dialect.name)
    changed: list[Row[Any]] = []
    for outcome, ids in groups.items():
        values = {f"new_{name}": value for name, value in _outcome_columns(outcome, now).items()}
        changed += conn.execute(statement, {"these": [[id_] for id_ in sorted(ids)], **values})
    return changed


def _write_lanes(conn: Connection, settlements: Sequence[Settlement], sent: Sequence[Row[Any]]) -> None:
    """End the claims, add what was sent to the lanes' totals, and set when the lanes may go on."""
    more = Counter((row.connection_id, row.lane) for row in sent)
    ends = [{**lane_params(one.held), "more": more[one.held.id]} for one in settlements]
    execute_bulk(conn, _END_CLAIM, ends)
    waits = [{**lane_params(one.held), **asdict(one.wait)} for one in settlements if one.wait is not None]
    execute_bulk(conn, _SET_WAIT, waits)


def _outcome_columns(outcome: Outcome, now: int) -> dict[str, Any]:
    match outcome:
        case Sent(notes):
            return _columns("sent", now, notes)
        case Rejected(reason, detail, notes):
            return _columns("dead", now, notes, reason, detail)
        case RetryAfter(_, reason) | ConnectionBroken(reason):
            return _columns("pending", None, (), reason)


def _columns(
    status: str, done_at: int | None, notes: Sequence[str], reason: str | None = None, detail: str | None = None
) -> dict[str, Any]:
    return {"status": status, "done_at": done_at, "notes": list(notes), "reason": reason, "detail": detail or None}


def _mark_profiles_sent(conn: Connection, people: Collection[tuple[int, int]]) -> None:
    rows = [{"connection_id": connection_id, "person_id": person_id} for connection_id, person_id in sorted(people)]
    upsert(conn, ProfileSent.__table__, rows, update_columns=())


def _write_calls(conn: Connection, settlements: Sequence[Settlement], changed: Collection[int]) -> None:
    """Write the calls of the lanes of which anything was written: what is settled twice has its calls already."""
    calls = [(one, call) for one in settlements if any(id_ in changed for id_, _ in one.outcomes) for call in one.calls]
    rows = [
        {"connection_id": one.held.connection_id, **{name: getattr(call, name) for name in _CALL_COLUMNS}}
        for one, call in calls
    ]
    call_ids = insert_returning_ids(conn, Call.__table__, rows)
    carried = [
        {"delivery_id": delivery_id, "call_id": call_id}
        for call_id, (one, call) in zip(call_ids, calls, strict=True)
        for delivery_id in _list_carried(one, call)
    ]
    insert_rows(conn, DeliveryCall.__table__, carried)


def _list_carried(settlement: Settlement, call: CallRecord) -> Iterator[int]:
    positions = call.message_positions or range(len(settlement.outcomes))
    return (settlement.outcomes[position][0] for position in positions)


# Built once for each database: building a statement costs more than running it.
@cache
def _build_outcome(dialect: str) -> Update:
    these = build_given_rows(dialect, "these")
    mine = Delivery.id.in_(select(get_given(these, 0, Delivery.id))), OPEN, PENDING, IS_CLAIMED
    statement = update(Delivery).where(*mine).values({**_OUTCOME_VALUES, "attempts": Delivery.attempts + 1})
    columns = Delivery.id, Delivery.connection_id, Delivery.lane, Delivery.person_id, Delivery.kind, Delivery.status
    return statement.returning(*columns, Delivery.event_id)
