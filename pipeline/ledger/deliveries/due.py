"""Finds the lanes that are due. The cost grows with the lanes that wait, not with deliveries or connections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
)

from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries.lanes import LaneId
from pipeline.ledger.deliveries.status import OPEN, PENDING, SENDING
from pipeline.ledger.schema.core import Delivery, Lane, StoreConnection
from pipeline.ledger.sql.tables import build_given_rows, get_given


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane's next priority, when it may be sent (µs), its failures in a row, and its newest fencing token."""

    priority: int | None = None  # None: nothing is open
    next_attempt_at: int = 0
    attempts: int = 0
    token: int = 0  # the newest holder's; 0: the lane never had a holder
    connection: ConnectionRow | None = field(default=None, compare=False)  # None: it is paused, or gone


def list_due_lanes(conn: Connection, now: int, connections: Collection[int] | None = None) -> list[tuple[int, int]]:
    """(connection, lane) of every lane with open deliveries that is due, of all active connections or of these.

    Includes a lane whose deliveries are all being sent: only its lease, not the ledger, knows if the sender is alive.
    """
    if connections is None:
        found = conn.execute(_DUE, {"now": now})
    else:
        found = conn.execute(_DUE_OF, {"now": now, "these": sorted(connections)})
    return [(row.connection_id, row.lane) for row in found]


def find_next_priority(conn: Connection, connection_id: int, lane: int) -> int | None:
    """The priority of what is next in the lane; None if `claim` would find nothing now."""
    return find_next_priorities(conn, [(connection_id, lane)]).get((connection_id, lane))


def find_next_priorities(conn: Connection, lanes: Collection[LaneId]) -> dict[LaneId, int]:
    """The priority of what is next in each of these lanes; without those in which nothing is."""
    found = peek_lanes(conn, lanes)
    return {lane: state.priority for lane, state in found.items() if state.priority is not None}


def peek_lane(conn: Connection, connection_id: int, lane: int) -> LaneState:
    """The state that a new holder of the lane would find; empty while it is paused."""
    return peek_lanes(conn, [(connection_id, lane)]).get((connection_id, lane)) or LaneState()


def peek_lanes(conn: Connection, lanes: Collection[LaneId]) -> dict[LaneId, LaneState]:
    """What new holders of these lanes would find; without those of connections that are paused."""
    rows = conn.execute(_build_peek(conn.dialect.name), {"lanes": sorted(lanes)})
    return {(row.id, row.of_lane): _build_state(row) for row in rows}


def _build_state(row: Any) -> LaneState:
    priorities = [priority for priority in (row.pending, row.begun) if priority is not None]
    connection = ConnectionRow(*row[: len(ConnectionRow.__slots__)])
    lane = (row.next_attempt_at or 0, row.attempts or 0, row.token or 0)
    return LaneState(min(priorities, default=None), *lane, connection)


@cache
def _build_peek(dialect: str) -> Select[Any]:
    lanes = build_given_rows(dialect, "lanes")
    connection_id, lane = get_given(lanes, 0, Lane.connection_id), get_given(lanes, 1, Lane.lane)
    in_lane = Delivery.connection_id == connection_id, Delivery.lane == lane, OPEN
    first = select(Delivery.priority).where(*in_lane).order_by(Delivery.priority).limit(1).correlate(lanes)
    pending, begun = (first.where(state).scalar_subquery() for state in (PENDING, SENDING))
    connection = [getattr(StoreConnection, name) for name in ConnectionRow.__slots__]
    columns = pending.label("pending"), begun.label("begun"), Lane.next_attempt_at, Lane.attempts, Lane.token
    return (
        select(*connection, lane.label("of_lane"), *columns)
        .select_from(lanes)
        .join(StoreConnection, and_(StoreConnection.id == connection_id, StoreConnection.status == "active"))
        .join(Lane, and_(Lane.connection_id == StoreConnection.id, Lane.lane == lane), isouter=True)
    )


def _connections_with_open() -> Select[int]:
    """Connections that have open deliveries: a loose index scan, from each connection to the next."""
    found = select(func.min(Delivery.connection_id).label("id")).where(OPEN).cte("waiting", recursive=True)
    following = select(func.min(Delivery.connection_id)).where(Delivery.connection_id > found.c.id, OPEN)
    found = found.union_all(select(following.scalar_subquery()).where(found.c.id.is_not(None)))
    return select(found.c.id)


def _build_due(of_connections: ColumnElement[bool]) -> Select[int, int]:
    """The due lanes of these connections: a loose index scan, as above, so that no lane is read to its end."""
    first = _next_lane(StoreConnection.__table__.c.id, literal(-1))
    found = select(StoreConnection.id.label("connection_id"), first.label("lane")).where(
        of_connections, StoreConnection.status == "active"
    )
    lanes = found.cte("open_lanes", recursive=True)
    following = _next_lane(lanes.c.connection_id, lanes.c.lane).label("lane")
    lanes = lanes.union_all(select(lanes.c.connection_id, following).where(lanes.c.lane.is_not(None)))
    same_lane = and_(Lane.connection_id == lanes.c.connection_id, Lane.lane == lanes.c.lane)
    return (
        select(lanes.c.connection_id, lanes.c.lane)
        .join(Lane, same_lane, isouter=True)
        .where(lanes.c.lane.is_not(None), func.coalesce(Lane.next_attempt_at, 0) <= bindparam("now"))
        .order_by(lanes.c.connection_id, lanes.c.lane)
    )


def _next_lane(connection_id: ColumnElement[int], lane: ColumnElement[int]) -> ScalarSelect[int]:
    following = Delivery.connection_id == connection_id, Delivery.lane > lane, OPEN
    return select(func.min(Delivery.lane)).where(*following).scalar_subquery()


# Built once: building them costs more than running them.
_DUE = _build_due(StoreConnection.id.in_(_connections_with_open()))
_DUE_OF = _build_due(StoreConnection.id.in_(bindparam("these", expanding=True)))
