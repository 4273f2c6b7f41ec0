"""Events: a page of them, newest first, and everything about one event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from pipeline.infra.compression import decompress
from pipeline.ledger.queries.deliveries import CallDetail, DeliveryDetail, list_calls, list_event_deliveries
from pipeline.ledger.schema.core import Body, Event, EventPerson, Person, Store


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; a field that is None does not filter."""

    store: str | None = None
    name: str | None = None
    outcome: str | None = None
    source: str | None = None
    subject: tuple[str, int] | None = None  # ("order", 7001)
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class EventSummary:
    """An event, for lists. Times are µs."""

    id: int
    store: str
    name: str
    outcome: str
    source: str
    subject: str | None
    subject_id: int | None
    ulid: str
    receipt: str
    is_test: bool
    duplicates: int
    occurred_at: int
    received_at: int
    recorded_at: int


@dataclass(frozen=True, slots=True)
class EventRecipient:
    """A person whom an event concerns; `reason` is why they get no message, if they get none."""

    person_id: int
    role: str
    customer_id: int | None
    email: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class EventDetail:
    """Everything about one event: its data and raw body, the people it concerns, its deliveries and their calls."""

    event: EventSummary
    form: str
    happening: str
    decoded_at: int
    validated_at: int
    notes: list[Any]
    unknown: list[Any]
    data: dict[str, Any] = field(repr=False)
    raw: bytes | None = field(repr=False)  # None: the body has been deleted
    people: list[EventRecipient] = field(repr=False)
    deliveries: list[DeliveryDetail] = field(repr=False)
    calls: list[CallDetail]


_SUMMARY_COLUMNS = (
    *(Event.id, Store.name.label("store"), Event.name, Event.outcome, Event.source, Event.subject, Event.subject_id),
    *(Event.ulid, Event.receipt, Event.is_test, Event.duplicates),
    *(Event.occurred_at, Event.received_at, Event.recorded_at),
)


def list_events(
    conn: Connection, event_filter: EventFilter | None = None, *, before: int | None = None, limit: int = 50
) -> list[EventSummary]:
    """A page of events, newest first; the next page begins `before` the last event's id."""
    conditions = _build_conditions(conn, event_filter or EventFilter())
    if before is not None:
        conditions.append(Event.id < before)
    query = select(*_SUMMARY_COLUMNS).join(Store, Store.id == Event.store_id).where(*conditions)
    return [EventSummary(**row._asdict()) for row in conn.execute(query.order_by(Event.id.desc()).limit(limit))]


def load_notes(conn: Connection, event_ids: Iterable[int]) -> dict[int, list[Any]]:
    """The notes of these events, by event id; events without notes are left out."""
    query = select(Event.id, Event.notes).where(Event.id.in_(list(event_ids)))
    return {event_id: notes for event_id, notes in conn.execute(query) if notes}


def get_event(conn: Connection, reference: int | str) -> EventDetail | None:
    """An event by its id, or by its ULID or receipt; None if there is none."""
    event_id = reference if isinstance(reference, int) else _find_event_id(conn, reference)
    summary = select(*_SUMMARY_COLUMNS).join(Store, Store.id == Event.store_id).where(Event.id == event_id)
    row = conn.execute(summary).one_or_none()
    if row is None:
        return None
    more = select(
        *(Event.form, Event.happening, Event.decoded_at, Event.validated_at, Event.notes, Event.unknown, Event.data),
    ).where(Event.id == row.id)
    deliveries = list_event_deliveries(conn, event_id=row.id)
    return EventDetail(
        EventSummary(**row._asdict()),
        **conn.execute(more).one()._asdict(),
        raw=_load_body(conn, row.id),
        people=_load_recipients(conn, row.id),
        deliveries=deliveries,
        calls=list_calls(conn, [delivery.id for delivery in deliveries]),
    )


def _build_conditions(conn: Connection, wanted: EventFilter) -> list[ColumnElement[bool]]:
    columns: dict[Any, Any] = {Event.name: wanted.name, Event.outcome: wanted.outcome, Event.source: wanted.source}
    if wanted.store is not None:
        # The id, not the joined name: the indexes begin with it.
        found = conn.execute(select(Store.id).where(Store.name == wanted.store)).scalar()
        columns[Event.store_id] = -1 if found is None else found
    if wanted.subject is not None:
        columns[Event.subject], columns[Event.subject_id] = wanted.subject
    conditions = [column == value for column, value in columns.items() if value is not None]
    if wanted.person_id is not None:
        theirs = select(EventPerson.event_id).where(EventPerson.person_id == wanted.person_id)
        conditions.append(Event.id.in_(theirs))
    return conditions


def _find_event_id(conn: Connection, name: str) -> int | None:
    queries = (select(Event.id).where(column == name).limit(1) for column in (Event.ulid, Event.receipt))
    return next((found for query in queries if (found := conn.execute(query).scalar()) is not None), None)


def _load_body(conn: Connection, event_id: int) -> bytes | None:
    packed = conn.execute(select(Body.raw).where(Body.event_id == event_id)).scalar()
    return None if packed is None else decompress(packed)


def _load_recipients(conn: Connection, event_id: int) -> list[EventRecipient]:
    columns = (EventPerson.person_id, EventPerson.role, Person.customer_id, Person.email, EventPerson.reason)
    query = select(*columns).join(Person, Person.id == EventPerson.person_id).where(EventPerson.event_id == event_id)
    ordered = query.order_by(EventPerson.role, EventPerson.person_id)
    return [EventRecipient(**row._asdict()) for row in conn.execute(ordered)]
