"""Makes settled messages pending again, for replays and for single dead letters.

A message keeps its id and its place in the lane, gives way to live messages of others, and has a profile of today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.ledger.deliveries.lanes import lock_lanes
from pipeline.ledger.deliveries.status import OPEN, STATUS_NOW
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE, FORGET_KIND
from pipeline.ledger.schema.core import Delivery, Person
from pipeline.recording.rejudge import recheck_messages
from pipeline.recording.snapshot import RecordingStore

_US_PER_S = 1_000_000


def lock_messages(conn: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    """These messages by id, with their lanes locked in the order of their keys, as claiming and settling do."""
    columns = (
        *(Delivery.id, Delivery.person_id, Delivery.connection_id, Delivery.lane, Delivery.kind),
        *(STATUS_NOW.label("status"), Delivery.reason, Delivery.done_at, Delivery.message),
    )
    query = select(*columns).where(Delivery.id.in_(ids))
    lanes = {(row.connection_id, row.lane) for row in conn.execute(query)}
    if not lanes:
        return {}
    lock_lanes(conn, lanes)
    return {row.id: row for row in conn.execute(query)}


def has_content(message: Row[Any]) -> bool:
    """Whether there is something to send: no request to forget a person, and no message that was emptied."""
    return bool(message.kind != FORGET_KIND and message.message != EMPTY_MESSAGE)


def make_pending(conn: Connection, store: RecordingStore, messages: Collection[Row[Any]], now: int) -> None:
    """Make locked messages pending behind live ones; if a live one waits about the same person, not behind that.

    They lose what the store's settings about consent withhold by now. What the platform said of them stays until it
    answers again: a stop that takes them back shows it as before.
    """
    people = {message.person_id: message for message in messages}
    if not people:
        return
    live = select(Delivery.person_id).where(Delivery.person_id.in_(people), OPEN, Delivery.priority == LIVE_PRIORITY)
    with_live = set(conn.execute(live).scalars())
    by_priority: defaultdict[int, list[int]] = defaultdict(list)
    for message in messages:
        by_priority[LIVE_PRIORITY if message.person_id in with_live else BACKFILL_PRIORITY].append(message.id)
    pending: dict[str, Any] = {"status": "pending", "done_at": None, "reason": None}
    for priority, ids in sorted(by_priority.items()):
        values = {**pending, "priority": priority, "replayed_at": now}
        conn.execute(update(Delivery).where(Delivery.id.in_(ids)).values(values))
    _renew_profiles(conn, [message for message in messages if message.kind == "profile"])
    recheck_messages(conn, store, {message.id: message.person_id for message in messages}, now)


def _renew_profiles(conn: Connection, profiles: Sequence[Row[Any]]) -> None:
    """Give old profiles the attributes of today: sent as they were, they would set the person back."""
    columns = Person.id, Person.customer_id, Person.email, Person.attributes, Person.known_at
    query = select(*columns).where(Person.id.in_({profile.person_id for profile in profiles}))
    people = {row.id: row for row in conn.execute(query)}
    for profile in profiles:
        message = _renew(profile.message, people[profile.person_id])
        conn.execute(update(Delivery).where(Delivery.id == profile.id).values(message=message, packed=None))


def _renew(message: Mapping[str, Any], person: Row[Any]) -> dict[str, Any]:
    """The message with the present values of its own attributes; what it does not name, it may not name."""
    return {
        "customer_id": person.customer_id,
        "email": message["email"] and person.email,
        "at": max(message["at"], person.known_at // _US_PER_S),
        "data": {name: person.attributes.get(name) for name in message["data"]},
    }
