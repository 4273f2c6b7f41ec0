"""Which lanes have something to do now. Its cost grows with the lanes that wait, not with the deliveries."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, bindparam, exists, func, literal, select

from pipeline.ledger.deliveries.words import OPEN, PENDING
from pipeline.ledger.tables import Connection as Link
from pipeline.ledger.tables import Delivery, Lane

_ACTIVE = exists().where(Link.id == bindparam("of_connection"), Link.status == "active")
_HERE = Delivery.connection_id == bindparam("of_connection"), Delivery.lane == bindparam("of_lane")
_NEXT = select(Delivery.priority).where(*_HERE, OPEN, PENDING, _ACTIVE).order_by(Delivery.priority).limit(1)


def due_lanes(conn: Connection, now: int) -> list[tuple[int, int]]:
    """(connection, lane) of every active connection's lane that has open deliveries and may go now.

    A lane whose deliveries are all being sent counts too: whether their sender still lives is known to its lease,
    not to the ledger. From each lane found the index is asked for the next one, so no lane is read to its end.
    """
    first = _next_lane(Link.__table__.c.id, literal(-1))
    found = select(Link.id.label("connection_id"), first.label("lane")).where(Link.status == "active")
    lanes = found.cte("open_lanes", recursive=True)
    following = _next_lane(lanes.c.connection_id, lanes.c.lane).label("lane")
    lanes = lanes.union_all(select(lanes.c.connection_id, following).where(lanes.c.lane.is_not(None)))
    here = and_(Lane.connection_id == lanes.c.connection_id, Lane.lane == lanes.c.lane)
    due = (
        select(lanes.c.connection_id, lanes.c.lane)
        .join(Lane, here, isouter=True)
        .where(lanes.c.lane.is_not(None), func.coalesce(Lane.next_attempt_at, 0) <= now)
        .order_by(lanes.c.connection_id, lanes.c.lane)
    )
    return [(row.connection_id, row.lane) for row in conn.execute(due)]


def next_in_lane(conn: Connection, connection_id: int, lane: int) -> int | None:
    """The priority of what is next in the lane; None if `claim` would find nothing now."""
    return conn.execute(_NEXT, {"of_connection": connection_id, "of_lane": lane}).scalar()


def _next_lane(connection_id: ColumnElement[int], lane: ColumnElement[int]) -> ScalarSelect[int]:
    following = Delivery.connection_id == connection_id, Delivery.lane > lane, OPEN
    return select(func.min(Delivery.lane)).where(*following).scalar_subquery()
