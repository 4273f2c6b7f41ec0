"""Takes the oldest waiting deliveries of a lane, in order, as the messages a destination can send."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, select, update

from pipeline.core.messages import LIVE_PRIORITY, Message, PersonRef
from pipeline.ledger.deliveries.lanes import HeldLane, lane_params, lock_lane
from pipeline.ledger.deliveries.status import OPEN, PENDING
from pipeline.ledger.schema.core import Delivery, ProfileSent
from pipeline.ledger.schema.core import StoreConnection as Link

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
_SENDING_VALUES = {"status": "sending", "token": bindparam("by_token"), "attempts": Delivery.attempts + 1}
_CLAIM = update(Delivery).where(Delivery.id.in_(_OLDEST.scalar_subquery())).values(_SENDING_VALUES).returning(*_COLUMNS)
_WITH_PROFILE = select(ProfileSent.person_id).where(
    ProfileSent.connection_id == bindparam("of_connection"),
    ProfileSent.person_id.in_(bindparam("people", expanding=True)),
)


def claim(conn: Connection, held: HeldLane, limit: int, priority: int = LIVE_PRIORITY) -> list[Message]:
    """Up to `limit` messages of one priority, oldest first; none while the connection is paused.

    Raise StaleFence if outrun. Deliveries count as begun from here on: until they are settled, or the lane is taken
    anew, nobody gets them again.
    """
    lock_lane(conn, held)
    if conn.execute(_STATUS, {"of_connection": held.connection_id}).scalar() != "active":
        return []
    wanted = {**lane_params(held), "of_priority": priority, "most": limit, "by_token": held.token}
    rows = sorted(conn.execute(_CLAIM, wanted), key=lambda row: row.id)  # RETURNING promises no order
    known = _find_people_with_profile(conn, held.connection_id, {row.person_id for row in rows})
    return [_build_message(row, has_profile=row.person_id in known) for row in rows]


def _find_people_with_profile(conn: Connection, connection_id: int, people: Collection[int]) -> set[int]:
    return set(conn.execute(_WITH_PROFILE, {"of_connection": connection_id, "people": list(people)}).scalars())


def _build_message(row: Row[Any], *, has_profile: bool) -> Message:
    told = row.message
    return Message(
        delivery_id=row.id,
        person=PersonRef(row.person_id, told["customer_id"], told["email"]),
        kind=row.kind,
        at=told["at"],
        data=told["data"],
        name=row.name,
        message_id=row.message_id,
        has_profile=has_profile,
        written_at=row.created_at,
        event_id=row.event_id,
    )
