"""Records the outcome of claimed deliveries, and the calls that carried them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, update

from pipeline.core.messages import CallRecord, ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.ledger.counts.arrivals import count_arrivals
from pipeline.ledger.deliveries.forgetting import settle_forget_requests
from pipeline.ledger.deliveries.lanes import HeldLane, add_sent, lock_lane
from pipeline.ledger.deliveries.status import SENDING
from pipeline.ledger.schema.core import Call, Delivery, DeliveryCall, ProfileSent
from pipeline.ledger.sql.tables import insert_into

_CLAIMED_BY_HOLDER = Delivery.token == bindparam("by_token"), Delivery.lane == bindparam("of_lane"), SENDING
_OUTCOME_VALUES: dict[str, Any] = {
    name: bindparam(f"new_{name}") for name in ("status", "done_at", "notes", "reason", "detail")
}
_SETTLE = (  # built once, as in `lanes`
    update(Delivery)
    .where(Delivery.id.in_(bindparam("these", expanding=True)), *_CLAIMED_BY_HOLDER)
    .values(_OUTCOME_VALUES)
    .returning(Delivery.id, Delivery.person_id, Delivery.kind, Delivery.status, Delivery.event_id)
)

DeliveryOutcome = tuple[int, Outcome]  # a delivery's id and its outcome


def settle(
    conn: Connection, held: HeldLane, settled: Sequence[DeliveryOutcome], calls: Sequence[CallRecord], now: int
) -> None:
    """Record the outcomes of one send, in the order of its messages. Raise StaleFence if the lane has a newer holder.

    Sent and rejected deliveries are done; the others are pending again, in their old place. Settling twice changes
    nothing.
    """
    lock_lane(conn, held)
    changed = [row for columns, ids in _group_by_outcome(settled, now) for row in _update(conn, held, ids, columns)]
    if not changed:
        return
    sent = [row for row in changed if row.status == "sent"]
    add_sent(conn, held, len(sent))
    _mark_profiles_sent(conn, held.connection_id, {row.person_id for row in sent if row.kind == "profile"})
    if forgotten := [row.id for row in changed if row.kind == "forget" and row.status != "pending"]:
        settle_forget_requests(conn, forgotten, now)
    _write_calls(conn, held.connection_id, [id_ for id_, _ in settled], calls)
    count_arrivals(conn, [row.id for row in sent if row.kind == "event" and row.event_id is not None], now)


def _group_by_outcome(settled: Sequence[DeliveryOutcome], now: int) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """Deliveries with the same outcome are updated by one statement. Nearly always that is all of them."""
    groups: dict[Outcome, list[int]] = {}
    for id_, outcome in settled:
        groups.setdefault(outcome, []).append(id_)
    for outcome, ids in groups.items():
        yield _outcome_columns(outcome, now), ids


def _update(
    conn: Connection, held: HeldLane, ids: Sequence[int], columns: Mapping[str, Any]
) -> list[Row[int, int, str, str, int | None]]:
    done = {f"new_{name}": value for name, value in columns.items()}
    return list(conn.execute(_SETTLE, {"these": ids, "by_token": held.token, "of_lane": held.lane, **done}))


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


def _mark_profiles_sent(conn: Connection, connection_id: int, people: Collection[int]) -> None:
    if people:
        rows = [{"connection_id": connection_id, "person_id": person_id} for person_id in sorted(people)]
        conn.execute(insert_into(conn, ProfileSent).on_conflict_do_nothing(), rows)


def _write_calls(conn: Connection, connection_id: int, ids: Sequence[int], calls: Sequence[CallRecord]) -> None:
    if not calls:
        return
    columns = ("method", "endpoint", "status", "items", "error", "started_at", "duration_us")
    rows = [{"connection_id": connection_id, **{name: getattr(call, name) for name in columns}} for call in calls]
    call_ids = conn.execute(insert(Call).returning(Call.id, sort_by_parameter_order=True), rows).scalars()
    carried = [
        {"delivery_id": ids[position], "call_id": call_id}
        for call_id, call in zip(call_ids, calls, strict=True)
        for position in call.message_positions or range(len(ids))
    ]
    conn.execute(insert(DeliveryCall), carried)
