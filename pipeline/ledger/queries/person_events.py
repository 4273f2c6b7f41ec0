"""What happened around one person: their events and messages, and what each message is doing. Pages by keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.orm import aliased

from pipeline.ledger.deliveries.status import STATUS_NOW
from pipeline.ledger.queries.activity_filter import find_id_recorded_by
from pipeline.ledger.schema.core import (
    Call,
    Delivery,
    DeliveryCall,
    Event,
    EventPerson,
    Gift,
    Lane,
    Person,
    PersonKey,
    StoreConnection,
)
from pipeline.ledger.sql.tables import select_by_keys

GIFT_RECIPIENT = "gift_recipient"
_LIMITED_WITHIN_US = 10_000_000  # of an accepted call: a refusal for the rate as near as this means the limit was met
_NEAR_CALLS = 100  # ids before and after a call among which such a refusal is looked for
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class ConcernedPerson:
    """A person whom an event concerns. `reason`: why they get no message, if they get none. Times are µs."""

    event_id: int
    person_id: int
    role: str
    reason: str | None
    name: str
    outcome: str
    source: str
    occurred_at: int
    received_at: int
    recorded_at: int
    is_withheld: bool  # whether nothing is sent about the person now
    has_other_recipient: bool  # the gift that they were to receive has another recipient by now


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """A message to one platform, and what its connection and its lane are doing. Times are µs."""

    id: int
    event_id: int | None
    person_id: int
    kind: str
    status: str
    reason: str | None
    detail: str | None = field(repr=False)
    created_at: int
    done_at: int | None
    platform: str
    label: str
    title: str | None
    connection_id: int
    connection_status: str
    connection_reason: str | None
    connection_since: int
    lane_attempts: int
    lane_reason: str | None
    failing_since: int | None
    next_attempt_at: int


@dataclass(frozen=True, slots=True)
class EventsAsked:
    """Which events of a person: of this name, and recorded since (µs); None does not filter."""

    name: str | None = None
    since: int | None = None


def list_person_events(
    conn: Connection, person_id: int, asked: EventsAsked, *, before: int | None = None, limit: int
) -> list[int]:
    """Ids of the events that concern the person, the newest first, below `before`."""
    mine = select(EventPerson.event_id).where(EventPerson.person_id == person_id)
    if before is not None:
        mine = mine.where(EventPerson.event_id < before)
    if asked.since is not None:
        mine = mine.where(EventPerson.event_id > find_id_recorded_by(conn, asked.since - 1))
    if asked.name is not None:
        mine = mine.join(Event, Event.id == EventPerson.event_id).where(Event.name == asked.name)
    newest = mine.distinct().order_by(EventPerson.event_id.desc()).limit(limit)
    return list(conn.execute(newest).scalars())


def list_concerned(conn: Connection, event_ids: Collection[int], person_id: int | None = None) -> list[ConcernedPerson]:
    """The people whom these events concern, each once for an event; or only this person."""
    columns = (
        *(EventPerson.event_id, EventPerson.person_id, EventPerson.role, EventPerson.reason),
        *(Event.name, Event.outcome, Event.source, Event.occurred_at, Event.received_at, Event.recorded_at),
        *(Event.store_id, Event.subject, Event.subject_id, Person.withheld.is_not(None).label("is_withheld")),
    )
    joined = select(*columns).join(Event, Event.id == EventPerson.event_id)
    query = joined.join(Person, Person.id == EventPerson.person_id).where(EventPerson.event_id.in_(event_ids))
    if person_id is not None:
        query = query.where(EventPerson.person_id == person_id)
    rows = conn.execute(query.order_by(EventPerson.event_id.desc(), EventPerson.role, EventPerson.person_id)).all()
    moved = _find_moved_gifts(conn, [row for row in rows if row.role == GIFT_RECIPIENT])
    found: dict[tuple[int, int], ConcernedPerson] = {}
    for row in rows:
        values = {name: getattr(row, name) for name in ConcernedPerson.__slots__ if name != "has_other_recipient"}
        key = row.event_id, row.person_id
        found.setdefault(key, ConcernedPerson(**values, has_other_recipient=(*key, row.role) in moved))
    return list(found.values())


def list_messages(conn: Connection, event_ids: Collection[int], person_id: int | None = None) -> list[TrackedMessage]:
    """The messages of these events, in the order in which they leave; or only those about this person."""
    query = _select_messages().where(Delivery.event_id.in_(event_ids))
    if person_id is not None:
        query = query.where(Delivery.person_id == person_id)
    return [TrackedMessage(**row._asdict()) for row in conn.execute(query.order_by(Delivery.id))]


def list_messages_of_no_event(
    conn: Connection, person_id: int, *, before: int | None = None, limit: int
) -> list[TrackedMessage]:
    """Profiles that a backfill has written, and requests to forget the person; the newest first."""
    query = _select_messages().where(Delivery.person_id == person_id, Delivery.event_id.is_(None))
    if before is not None:
        query = query.where(Delivery.id < before)
    return [TrackedMessage(**row._asdict()) for row in conn.execute(query.order_by(Delivery.id.desc()).limit(limit))]


def find_limited(conn: Connection, delivery_ids: Collection[int]) -> set[int]:
    """Those of these messages that were accepted while the platform refused other calls of theirs for the rate."""
    near = aliased(Call)
    at_the_limit = and_(
        near.connection_id == Call.connection_id,
        near.id.between(Call.id - _NEAR_CALLS, Call.id + _NEAR_CALLS),
        near.id != Call.id,
        near.status == _TOO_MANY_REQUESTS,
        near.started_at.between(Call.started_at - _LIMITED_WITHIN_US, Call.started_at + _LIMITED_WITHIN_US),
    )
    query = (
        select(DeliveryCall.delivery_id)
        .join(Call, Call.id == DeliveryCall.call_id)
        .join(near, at_the_limit)
        .where(DeliveryCall.delivery_id.in_(delivery_ids), Call.status.between(200, 299))
    )
    return set(conn.execute(query.distinct()).scalars())


def _select_messages() -> Select[*tuple[Any, ...]]:
    columns = (
        *(Delivery.id, Delivery.event_id, Delivery.person_id, Delivery.kind, Delivery.reason),
        STATUS_NOW.label("status"),
        *(Delivery.detail, Delivery.created_at, Delivery.done_at, Delivery.connection_id),
        *(StoreConnection.platform, StoreConnection.label, StoreConnection.title),
        StoreConnection.status.label("connection_status"),
        StoreConnection.status_reason.label("connection_reason"),
        StoreConnection.status_at.label("connection_since"),
        func.coalesce(Lane.attempts, 0).label("lane_attempts"),
        Lane.reason.label("lane_reason"),
        Lane.failing_since,
        func.coalesce(Lane.next_attempt_at, 0).label("next_attempt_at"),
    )
    same_lane = and_(Lane.connection_id == Delivery.connection_id, Lane.lane == Delivery.lane)
    joined = select(*columns).join(StoreConnection, StoreConnection.id == Delivery.connection_id)
    return joined.join(Lane, same_lane, isouter=True)


def _find_moved_gifts(conn: Connection, rows: Sequence[Any]) -> set[tuple[int, int, str]]:
    """(event id, person id, role) of those whose gift has another recipient by now."""
    gift = Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    subjects = {(row.store_id, row.subject, row.subject_id) for row in rows if row.subject_id is not None}
    emails = {
        (row.store_id, row.kind, row.subject_id): row.email
        for row in select_by_keys(conn, (*by, gift.email), by, subjects)
    }
    people = {row.person_id for row in rows}
    own = select(PersonKey.person_id, PersonKey.value).where(PersonKey.person_id.in_(people), PersonKey.kind == "email")
    addresses = {(person_id, email) for person_id, email in conn.execute(own)} if people else set()
    moved = set()
    for row in rows:
        email = emails.get((row.store_id, row.subject, row.subject_id))
        if email is not None and (row.person_id, email) not in addresses:
            moved.add((row.event_id, row.person_id, row.role))
    return moved
