"""Takes the oldest waiting deliveries of a lane, in order, as the messages a destination can send."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, select, update

from pipeline.ledger.deliveries.lane import LaneTaken, here, hold_lane
from pipeline.ledger.deliveries.words import LIVE, OPEN, PENDING
from pipeline.ledger.tables import Connection as Link
from pipeline.ledger.tables import Delivery, Introduction
from pipeline.model import Message, PersonRef

_COLUMNS = (
    *(Delivery.id, Delivery.person_id, Delivery.kind, Delivery.name),
    *(Delivery.message_id, Delivery.message, Delivery.created_at, Delivery.event_id),
)

# Made once, as in `lane`.
_STATUS = select(Link.status).where(Link.id == bindparam("of_connection"))
_OLDEST = (
    select(Delivery.id)
    .where(Delivery.connection_id == bindparam("of_connection"), Delivery.lane == bindparam("of_lane"))
    .where(OPEN, PENDING, Delivery.priority == bindparam("of_priority"))
    .order_by(Delivery.id)
    .limit(bindparam("most", type_=Integer))
)
_BEGUN = {"status": "sending", "token": bindparam("by_token"), "attempts": Delivery.attempts + 1}
_CLAIM = update(Delivery).where(Delivery.id.in_(_OLDEST.scalar_subquery())).values(_BEGUN).returning(*_COLUMNS)
_INTRODUCED = select(Introduction.person_id).where(
    Introduction.connection_id == bindparam("of_connection"),
    Introduction.person_id.in_(bindparam("people", expanding=True)),
)


def claim(conn: Connection, taken: LaneTaken, limit: int, priority: int = LIVE) -> list[Message]:
    """Up to `limit` messages of one priority, oldest first; none while the connection is paused.

    Raise StaleFence if outrun. Deliveries count as begun from here on: until they are settled, or the lane is taken
    anew, nobody gets them again.
    """
    hold_lane(conn, taken)
    if conn.execute(_STATUS, {"of_connection": taken.connection_id}).scalar() != "active":
        return []
    wanted = {**here(taken), "of_priority": priority, "most": limit, "by_token": taken.token}
    rows = sorted(conn.execute(_CLAIM, wanted), key=lambda row: row.id)  # RETURNING promises no order
    known = _introduced(conn, taken.connection_id, {row.person_id for row in rows})
    return [_message(row, introduced=row.person_id in known) for row in rows]


def _introduced(conn: Connection, connection_id: int, people: Collection[int]) -> set[int]:
    return set(conn.execute(_INTRODUCED, {"of_connection": connection_id, "people": list(people)}).scalars())


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
