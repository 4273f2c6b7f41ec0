"""Takes the oldest waiting deliveries of a lane, in order, as the messages a destination can send."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipeline.ledger.deliveries.lane import LaneTaken, hold_lane
from pipeline.ledger.deliveries.words import LIVE, OPEN, PENDING
from pipeline.ledger.tables import Connection as Link
from pipeline.ledger.tables import Delivery, Introduction
from pipeline.model import Message, PersonRef

_COLUMNS = (
    *(Delivery.id, Delivery.person_id, Delivery.kind, Delivery.name),
    *(Delivery.message_id, Delivery.message, Delivery.created_at, Delivery.event_id),
)


def claim(conn: Connection, taken: LaneTaken, limit: int, priority: int = LIVE) -> list[Message]:
    """Up to `limit` messages of one priority, oldest first; none while the connection is paused.

    Raise StaleFence if outrun. Deliveries count as begun from here on: until they are settled, or the lane is taken
    anew, nobody gets them again.
    """
    hold_lane(conn, taken)
    if conn.execute(select(Link.status).where(Link.id == taken.connection_id)).scalar() != "active":
        return []
    waiting = Delivery.connection_id == taken.connection_id, Delivery.lane == taken.lane, OPEN, PENDING
    oldest = select(Delivery.id).where(*waiting, Delivery.priority == priority).order_by(Delivery.id).limit(limit)
    begun = {"status": "sending", "token": taken.token, "attempts": Delivery.attempts + 1}
    claimed = update(Delivery).where(Delivery.id.in_(oldest.scalar_subquery())).values(begun).returning(*_COLUMNS)
    rows = sorted(conn.execute(claimed), key=lambda row: row.id)  # RETURNING promises no order
    known = _introduced(conn, taken.connection_id, {row.person_id for row in rows})
    return [_message(row, introduced=row.person_id in known) for row in rows]


def _introduced(conn: Connection, connection_id: int, people: Collection[int]) -> set[int]:
    query = select(Introduction.person_id).where(
        Introduction.connection_id == connection_id, Introduction.person_id.in_(people)
    )
    return set(conn.execute(query).scalars())


def _message(row: Row[Any], *, introduced: bool) -> Message:
    told = row.message
    return Message(
        delivery_id=row.id,
        person=PersonRef(row.person_id, told["customer_id"], told["email"]),
        kind=row.kind,
        at=told["at"],
        data=told["data"],
        name=row.name,
        message_id=row.message_id,
        introduced=introduced,
        written_at=row.created_at,
        event_id=row.event_id,
    )
