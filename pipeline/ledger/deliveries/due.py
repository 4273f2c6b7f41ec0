"""Finds the lanes that are due. The cost grows with the lanes that wait, not with deliveries or connections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, and_, bindparam, exists, func, literal, select

from pipeline.ledger.deliveries.status import OPEN, PENDING, SENDING
from pipeline.ledger.schema.core import Delivery, Lane, StoreConnection

_ACTIVE = exists().where(StoreConnection.id == bindparam("of_connection"), StoreConnection.status == "active")
_IN_LANE = Delivery.connection_id == bindparam("of_connection"), Delivery.lane == bindparam("of_lane")
_FIRST_PRIORITY = select(Delivery.priority).where(*_IN_LANE, OPEN).order_by(Delivery.priority).limit(1)
_NEXT_PRIORITY = _FIRST_PRIORITY.where(PENDING, _ACTIVE)


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane's next priority, when it may be sent (µs), its failures in a row, and its newest fencing token."""

    priority: int | None = None  # None: nothing is open
    next_attempt_at: int = 0
    attempts: int = 0
    token: int = 0  # the newest holder's; 0: the lane never had a holder


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
    return conn.execute(_NEXT_PRIORITY, {"of_connection": connection_id, "of_lane": lane}).scalar()


def peek_lane(conn: Connection, connection_id: int, lane: int) -> LaneState:
    """The state that a new holder of the lane would find, deliveries being sent included; empty while it is paused."""
    row = conn.execute(_PEEK, {"of_connection": connection_id, "of_lane": lane}).one_or_none()
    if row is None:
        return LaneState()
    priorities = [priority for priority in (row.pending, row.begun) if priority is not None]
    return LaneState(min(priorities, default=None), row.next_attempt_at or 0, row.attempts or 0, row.token or 0)


def _build_peek() -> Select[int | None, int | None, int, int, int]:
    pending, begun = (_FIRST_PRIORITY.where(state).scalar_subquery() for state in (PENDING, SENDING))
    same_lane = and_(Lane.connection_id == StoreConnection.id, Lane.lane == bindparam("of_lane"))
    columns = pending.label("pending"), begun.label("begun"), Lane.next_attempt_at, Lane.attempts, Lane.token
    rows = select(*columns).select_from(StoreConnection).join(Lane, same_lane, isouter=True)
    return rows.where(StoreConnection.id == bindparam("of_connection"), StoreConnection.status == "active")


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
_PEEK = _build_peek()
_DUE = _build_due(StoreConnection.id.in_(_connections_with_open()))
_DUE_OF = _build_due(StoreConnection.id.in_(bindparam("these", expanding=True)))
