"""Claims the oldest pending deliveries of a lane, in order, as messages for a destination; changes their priority."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, select, tuple_, update

from pipeline.core.messages import LIVE_PRIORITY, Message, PersonRef
from pipeline.ledger.deliveries.lanes import HeldLane, lane_params, lock_lane
from pipeline.ledger.deliveries.status import IS_BACKFILL, OPEN, PENDING
from pipeline.ledger.schema.core import Delivery, Lane, ProfileSent, StoreConnection

_COLUMNS = (
    *(Delivery.id, Delivery.person_id, Delivery.kind, Delivery.name),
    *(Delivery.message_id, Delivery.message, Delivery.created_at, Delivery.event_id),
)

# Built once, as in `lanes`.
_STATUS = select(StoreConnection.status).where(StoreConnection.id == bindparam("of_connection"))
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

    Raise StaleFence if the lane has a newer holder. A claimed delivery is not returned again until it is settled as
    pending, or the lane is acquired anew.
    """
    lock_lane(conn, held)
    if conn.execute(_STATUS, {"of_connection": held.connection_id}).scalar() != "active":
        return []
    params = {**lane_params(held), "of_priority": priority, "most": limit, "by_token": held.token}
    rows = sorted(conn.execute(_CLAIM, params), key=lambda row: row.id)  # RETURNING promises no order
    with_profile = _find_people_with_profile(conn, held.connection_id, {row.person_id for row in rows})
    return [_build_message(row, has_profile=row.person_id in with_profile) for row in rows]


def promote_to_live(conn: Connection, people: Collection[int]) -> None:
    """Give the open backfill deliveries of these people live priority. The caller has a live event of each of them.

    Lanes are locked in the order of their keys, before deliveries, as claiming and settling do: no deadlock.
    """
    columns = Delivery.id, Delivery.connection_id, Delivery.lane
    found = conn.execute(select(*columns).where(Delivery.person_id.in_(people), OPEN, IS_BACKFILL)).all()
    if not found:
        return
    lanes = sorted({(row.connection_id, row.lane) for row in found})
    of_people = tuple_(Lane.connection_id, Lane.lane).in_(lanes)
    conn.execute(select(Lane.token).where(of_people).order_by(Lane.connection_id, Lane.lane).with_for_update())
    conn.execute(
        update(Delivery).where(Delivery.id.in_([row.id for row in found]), OPEN).values(priority=LIVE_PRIORITY)
    )


def _find_people_with_profile(conn: Connection, connection_id: int, people: Collection[int]) -> set[int]:
    return set(conn.execute(_WITH_PROFILE, {"of_connection": connection_id, "people": list(people)}).scalars())


def _build_message(row: Row[Any], *, has_profile: bool) -> Message:
    payload = row.message
    return Message(
        delivery_id=row.id,
        person=PersonRef(row.person_id, payload["customer_id"], payload["email"]),
        kind=row.kind,
        at=payload["at"],
        data=payload["data"],
        name=row.name,
        message_id=row.message_id,
        has_profile=has_profile,
        written_at=row.created_at,
        event_id=row.event_id,
    )
