"""The holder of a lane. Every holder gets a greater fencing token; a write by an earlier holder is refused.

The lane's row is the lock: claiming and settling deliveries of a lane lock that row first. Rows of several lanes are
locked in the order of their keys, so that two transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select, update

from pipeline.core.errors import StaleFence
from pipeline.ledger.deliveries.status import OPEN, SENDING
from pipeline.ledger.schema.core import Delivery, Lane
from pipeline.ledger.sql.tables import build_given_rows, get_given, insert_into

LaneId = tuple[int, int]  # connection, lane

# Every send executes these, so they are built once: building a statement costs more than running it.
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


@dataclass(frozen=True, slots=True)
class HeldLane:
    """A lane with a holder: the holder's token, when the lane may be sent (µs), its failures in a row."""

    connection_id: int
    lane: int
    token: int
    next_attempt_at: int
    attempts: int

    @property
    def id(self) -> LaneId:
        """Its connection and its number."""
        return self.connection_id, self.lane


def acquire_lane(
    conn: Connection, connection_id: int, lane: int, now: int, expected_token: int | None = None
) -> HeldLane:
    """Become the lane's holder. Whatever an earlier holder has claimed is claimed no longer.

    Raise StaleFence if `expected_token` is no longer the newest, because another holder has acquired the lane.
    """
    params = {"of_connection": connection_id, "of_lane": lane, "now": now}
    row = conn.execute(_ACQUIRE, params).one_or_none() or _insert_lane(conn, connection_id, lane, now)
    if expected_token is not None and row.token != expected_token + 1:
        raise StaleFence(f"lane {connection_id}/{lane}: expected token {expected_token}, newest {row.token - 1}")
    make_pending_again(conn, (connection_id, lane))
    return HeldLane(connection_id, lane, row.token, row.next_attempt_at, row.attempts)


def make_pending_again(conn: Connection, lane: LaneId) -> None:
    """Take back what a holder of an earlier version had begun to send. The caller holds the lane."""
    conn.execute(_BACK_TO_PENDING, {"of_connection": lane[0], "of_lane": lane[1]})


def _insert_lane(conn: Connection, connection_id: int, lane: int, now: int) -> Row[int, int, int]:
    """Insert the lane's row; another process may do so at the same time."""
    first = insert_into(conn, Lane).values(connection_id=connection_id, lane=lane, token=1, taken_at=now)
    taken = {"token": Lane.token + 1, "taken_at": now}
    statement = first.on_conflict_do_update(index_elements=[Lane.connection_id, Lane.lane], set_=taken)
    return conn.execute(statement.returning(*_LANE_COLUMNS)).one()


def lock_lane(conn: Connection, held: HeldLane) -> None:
    """Lock the lane until the transaction ends. Raise StaleFence if it has a newer holder."""
    newest = conn.execute(_NEWEST_TOKEN, lane_params(held)).scalar()
    if newest != held.token:
        raise StaleFence(f"lane {held.connection_id}/{held.lane}: token {held.token}, newest {newest}")


def lock_lanes(conn: Connection, lanes: Collection[LaneId]) -> dict[LaneId, int]:
    """Lock lanes until the transaction ends; returns the newest token of each that has a row."""
    keys = sorted(lanes)
    return {
        (row.connection_id, row.lane): row.token for row in conn.execute(_build_lock(conn.dialect.name), {"keys": keys})
    }


def postpone_lane(conn: Connection, held: HeldLane, next_attempt_at: int, attempts: int, reason: str) -> None:
    """Send nothing from the lane until `next_attempt_at` (µs), and end its claim. `attempts`: its failures in a row."""
    lock_lane(conn, held)
    changed = {"next_attempt_at": next_attempt_at, "attempts": attempts, "reason": reason, "claimed_to": None}
    conn.execute(update(Lane).where(*_THIS_LANE).values(changed | _failing_since(attempts)), lane_params(held))


def clear_lane(conn: Connection, held: HeldLane) -> None:
    """Reset the lane's failures after a success."""
    lock_lane(conn, held)
    conn.execute(
        update(Lane).where(*_THIS_LANE).values(next_attempt_at=0, attempts=0, reason=None, failing_since=None),
        lane_params(held),
    )


def _failing_since(attempts: int) -> dict[str, Any]:
    """Since when there have been failures only: since the holder that met the first one acquired the lane."""
    if attempts <= 1:
        return {"failing_since": Lane.taken_at if attempts else None}
    return {"failing_since": func.coalesce(Lane.failing_since, Lane.taken_at)}


def lane_params(held: HeldLane) -> dict[str, Any]:
    """The lane, as the parameters of a statement."""
    return {"of_connection": held.connection_id, "of_lane": held.lane}


@cache
def _build_lock(dialect: str) -> Select[int, int, int]:
    keys = build_given_rows(dialect, "keys")
    same = and_(
        Lane.connection_id == get_given(keys, 0, Lane.connection_id), Lane.lane == get_given(keys, 1, Lane.lane)
    )
    query = select(Lane.connection_id, Lane.lane, Lane.token).select_from(keys.join(Lane, same))
    return query.order_by(Lane.connection_id, Lane.lane).with_for_update(of=Lane)
