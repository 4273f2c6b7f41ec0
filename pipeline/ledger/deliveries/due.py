"""Which lanes have something to do now. Its cost grows with the lanes that wait, not with deliveries or connections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, and_, bindparam, exists, func, literal, select

from pipeline.ledger.deliveries.status import OPEN, PENDING, SENDING
from pipeline.ledger.schema.core import Delivery, Lane
from pipeline.ledger.schema.core import StoreConnection as Link

_ACTIVE = exists().where(Link.id == bindparam("of_connection"), Link.status == "active")
_IN_LANE = Delivery.connection_id == bindparam("of_connection"), Delivery.lane == bindparam("of_lane")
_FIRST_PRIORITY = select(Delivery.priority).where(*_IN_LANE, OPEN).order_by(Delivery.priority).limit(1)
_NEXT_PRIORITY = _FIRST_PRIORITY.where(PENDING, _ACTIVE)


@dataclass(frozen=True, slots=True)
class LaneState:
    """What is to be done in a lane: of which priority first, when it may go (µs), its failures in a row."""

    priority: int | None = None  # None: nothing
    next_attempt_at: int = 0
    attempts: int = 0
    token: int = 0  # the newest holder's; 0: nobody ever


def list_due_lanes(conn: Connection, now: int, connections: Collection[int] | None = None) -> list[tuple[int, int]]:
    """(connection, lane) of every lane that has open deliveries and may go now, of all active connections or of these.

    A lane whose deliveries are all being sent counts too: whether their sender still lives is known to its lease,
    not to the ledger.
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
    """What whoever takes the lane would find, what one before had begun too; nothing while the connection pauses."""
    row = conn.execute(_PEEK, {"of_connection": connection_id, "of_lane": lane}).one_or_none()
    if row is None:
        return LaneState()
    waiting = [one for one in (row.pending, row.begun) if one is not None]
    return LaneState(min(waiting, default=None), row.next_attempt_at or 0, row.attempts or 0, row.token or 0)


def _build_peek() -> Select[int | None, int | None, int, int, int]:
    pending, begun = (_FIRST_PRIORITY.where(state).scalar_subquery() for state in (PENDING, SENDING))
    here = and_(Lane.connection_id == Link.id, Lane.lane == bindparam("of_lane"))
    columns = pending.label("pending"), begun.label("begun"), Lane.next_attempt_at, Lane.attempts, Lane.token
    rows = select(*columns).select_from(Link).join(Lane, here, isouter=True)
    return rows.where(Link.id == bindparam("of_connection"), Link.status == "active")


def _connections_with_open() -> Select[int]:
    """Connections that have open deliveries. From each one found the index is asked for the next."""
    found = select(func.min(Delivery.connection_id).label("id")).where(OPEN).cte("waiting", recursive=True)
    following = select(func.min(Delivery.connection_id)).where(Delivery.connection_id > found.c.id, OPEN)
    found = found.union_all(select(following.scalar_subquery()).where(found.c.id.is_not(None)))
    return select(found.c.id)


def _build_due(mine: ColumnElement[bool]) -> Select[int, int]:
    """The due lanes of these connections. It goes from lane to lane as above: no lane is read to its end."""
    first = _next_lane(Link.__table__.c.id, literal(-1))
    found = select(Link.id.label("connection_id"), first.label("lane")).where(mine, Link.status == "active")
    lanes = found.cte("open_lanes", recursive=True)
    following = _next_lane(lanes.c.connection_id, lanes.c.lane).label("lane")
    lanes = lanes.union_all(select(lanes.c.connection_id, following).where(lanes.c.lane.is_not(None)))
    here = and_(Lane.connection_id == lanes.c.connection_id, Lane.lane == lanes.c.lane)
    return (
        select(lanes.c.connection_id, lanes.c.lane)
        .join(Lane, here, isouter=True)
        .where(lanes.c.lane.is_not(None), func.coalesce(Lane.next_attempt_at, 0) <= bindparam("now"))
        .order_by(lanes.c.connection_id, lanes.c.lane)
    )


def _next_lane(connection_id: ColumnElement[int], lane: ColumnElement[int]) -> ScalarSelect[int]:
    following = Delivery.connection_id == connection_id, Delivery.lane > lane, OPEN
    return select(func.min(Delivery.lane)).where(*following).scalar_subquery()


# Made once, for making them costs more than running them.
_PEEK = _build_peek()
_DUE = _build_due(Link.id.in_(_connections_with_open()))
_DUE_OF = _build_due(Link.id.in_(bindparam("these", expanding=True)))
