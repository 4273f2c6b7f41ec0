"""Who holds a lane. Every holder gets a greater token; what an older one still wants to write is refused.

The lane's row is the lock: whoever claims or settles deliveries of a lane has locked that row first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from pipeline.core.errors import StaleFence
from pipeline.ledger.deliveries.status import OPEN, SENDING
from pipeline.ledger.schema.core import Delivery, Lane
from pipeline.ledger.sql.tables import insert_into

# What every send asks is made once: making a statement costs more than running it.
_THIS_LANE = Lane.connection_id == bindparam("of_connection"), Lane.lane == bindparam("of_lane")
_NEWEST_TOKEN = select(Lane.token).where(*_THIS_LANE).with_for_update()
_LANE_COLUMNS = Lane.token, Lane.next_attempt_at, Lane.attempts
_ACQUIRE = (
    update(Lane).where(*_THIS_LANE).values(token=Lane.token + 1, taken_at=bindparam("now")).returning(*_LANE_COLUMNS)
)
_SENDING_IN_LANE = (
    Delivery.connection_id == bindparam("of_connection"),
    Delivery.lane == bindparam("of_lane"),
    OPEN,
    SENDING,
)
_BACK_TO_PENDING = update(Delivery).where(*_SENDING_IN_LANE).values(status="pending")
_ADD_SENT = update(Lane).where(*_THIS_LANE).values(sent=Lane.sent + bindparam("more"))


@dataclass(frozen=True, slots=True)
class HeldLane:
    """A lane in somebody's hands: the holder's token, when the lane may go (µs), its failures in a row."""

    connection_id: int
    lane: int
    token: int
    next_attempt_at: int
    attempts: int


def acquire_lane(conn: Connection, connection_id: int, lane: int, now: int, seen: int | None = None) -> HeldLane:
    """Become the lane's holder. What earlier holders had begun to send becomes pending again.

    Raise StaleFence if `seen` was the newest token and somebody has taken the lane since.
    """
    wanted = {"of_connection": connection_id, "of_lane": lane, "now": now}
    row = conn.execute(_ACQUIRE, wanted).one_or_none() or _insert_lane(conn, connection_id, lane, now)
    if seen is not None and row.token != seen + 1:
        raise StaleFence(f"lane {connection_id}/{lane}: token {seen} when it was looked at, newest {row.token - 1}")
    conn.execute(_BACK_TO_PENDING, wanted)
    return HeldLane(connection_id, lane, row.token, row.next_attempt_at, row.attempts)


def _insert_lane(conn: Connection, connection_id: int, lane: int, now: int) -> Row[int, int, int]:
    """Make the lane's row; somebody else may do so in the same moment."""
    first = insert_into(conn, Lane).values(connection_id=connection_id, lane=lane, token=1, taken_at=now)
    taken = {"token": Lane.token + 1, "taken_at": now}
    made = first.on_conflict_do_update(index_elements=[Lane.connection_id, Lane.lane], set_=taken)
    return conn.execute(made.returning(*_LANE_COLUMNS)).one()


def lock_lane(conn: Connection, held: HeldLane) -> None:
    """Lock the lane until the transaction ends. Raise StaleFence if somebody else has taken it since."""
    newest = conn.execute(_NEWEST_TOKEN, lane_params(held)).scalar()
    if newest != held.token:
        raise StaleFence(f"lane {held.connection_id}/{held.lane}: token {held.token}, newest {newest}")


def postpone_lane(conn: Connection, held: HeldLane, next_attempt_at: int, attempts: int, reason: str) -> None:
    """Let the lane rest until `next_attempt_at` (µs). `attempts` are its failures in a row."""
    lock_lane(conn, held)
    changed = {"next_attempt_at": next_attempt_at, "attempts": attempts, "reason": reason}
    conn.execute(update(Lane).where(*_THIS_LANE).values(changed | _failing_since(attempts)), lane_params(held))


def clear_lane(conn: Connection, held: HeldLane) -> None:
    """Forget the lane's failures: something went through."""
    lock_lane(conn, held)
    conn.execute(
        update(Lane).where(*_THIS_LANE).values(next_attempt_at=0, attempts=0, reason=None, failing_since=None),
        lane_params(held),
    )


def add_sent(conn: Connection, held: HeldLane, sent: int) -> None:
    """Add to the lane's total; the caller holds the lane."""
    conn.execute(_ADD_SENT, {**lane_params(held), "more": sent})


def _failing_since(attempts: int) -> dict[str, Any]:
    """Since when there have been failures only: since the holder of the first one took the lane."""
    if attempts <= 1:
        return {"failing_since": Lane.taken_at if attempts else None}
    return {"failing_since": func.coalesce(Lane.failing_since, Lane.taken_at)}


def lane_params(held: HeldLane) -> dict[str, Any]:
    """The lane, as the parameters of a statement."""
    return {"of_connection": held.connection_id, "of_lane": held.lane}
