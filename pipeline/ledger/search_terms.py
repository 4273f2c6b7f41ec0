"""Writes what the search finds people and events by, and removes it. Inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.events.catalogue import EVENTS
from pipeline.events.search_terms import (
    KINDS_WITH_NAMES,
    find_tracking_numbers,
    fold_address,
    fold_names,
    read_names,
)
from pipeline.ledger.schema.core import Event, Fact, Person, PersonKey
from pipeline.ledger.schema.search import PersonTerm, SearchProgress, TrackingNumber
from pipeline.ledger.sql.bulk import upsert
from pipeline.ledger.sql.tables import insert_into

NAME, EMAIL = "name", "email"
PEOPLE, EVENTS_KIND = "people", "events"
SHIPMENT_EVENTS = tuple(row.name for row in EVENTS.values() if row.subject == "shipment")


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person with names and addresses to be found by; those found before are left as they are."""

    store_id: int
    person_id: int
    names: Collection[str]
    emails: Collection[str] = ()


def add_person_terms(conn: Connection, people: Iterable[NamedPerson]) -> None:
    """Let the search find these people by these names and addresses too."""
    rows = [
        {"store_id": person.store_id, "kind": kind, "value": value, "person_id": person.person_id}
        for person in people
        for kind, values in ((NAME, fold_names(person.names)), (EMAIL, map(fold_address, person.emails)))
        for value in values
    ]
    upsert(conn, PersonTerm.__table__, rows, update_columns=())


def add_tracking_numbers(conn: Connection, events: Iterable[tuple[int, int, Any]]) -> None:
    """Let the search find events of shipments: (store id, event id, loaded data)."""
    rows = [
        {"store_id": store_id, "value": number, "event_id": event_id}
        for store_id, event_id, data in events
        for number in find_tracking_numbers(data)
    ]
    upsert(conn, TrackingNumber.__table__, rows, update_columns=())


def remove_tracking_numbers(conn: Connection, event_id: int, left: Any) -> None:
    """Remove the tracking numbers of an event that are no longer in its data."""
    mine = TrackingNumber.event_id == event_id, TrackingNumber.value.not_in(find_tracking_numbers(left))
    conn.execute(delete(TrackingNumber).where(*mine))


def fill_slice(conn: Connection, kind: str, size: int, now: int) -> bool:
    """Read the next rows from before the search; returns whether all are read."""
    progress = insert_into(conn, SearchProgress).values(kind=kind, cursor=0)
    conn.execute(progress.on_conflict_do_nothing(index_elements=[SearchProgress.kind]))
    query = select(SearchProgress.cursor, SearchProgress.done_at).where(SearchProgress.kind == kind)
    row = conn.execute(query.with_for_update()).one()
    if row.done_at is not None:
        return True
    ids = _FILLERS[kind](conn, row.cursor, size)
    changed = {"cursor": ids[-1]} if ids else {"done_at": now}
    conn.execute(update(SearchProgress).where(SearchProgress.kind == kind).values(changed))
    return not ids


def is_search_filled(conn: Connection) -> bool:
    """Whether everything from before is found too."""
    done = select(SearchProgress.kind).where(SearchProgress.done_at.is_not(None))
    return set(conn.execute(done).scalars()) >= set(_FILLERS)


def _fill_people(conn: Connection, after: int, size: int) -> Sequence[int]:
    """Rows are locked: who is erased at the same time stays erased."""
    people = _lock_next(conn, Person.id, Person.store_id, after=after, size=size)
    names, emails = defaultdict[int, set[str]](set), defaultdict[int, set[str]](set)
    ids = [row.id for row in people]
    facts = select(Fact.person_id, Fact.kind, Fact.data).where(Fact.person_id.in_(ids), Fact.kind.in_(KINDS_WITH_NAMES))
    for row in conn.execute(facts):
        names[row.person_id].update(read_names(row.kind, row.data))
    keys = select(PersonKey.person_id, PersonKey.value).where(PersonKey.person_id.in_(ids), PersonKey.kind == EMAIL)
    for person_id, value in conn.execute(keys):
        emails[person_id].add(value)
    add_person_terms(conn, [NamedPerson(row.store_id, row.id, names[row.id], emails[row.id]) for row in people])
    return ids


def _fill_events(conn: Connection, after: int, size: int) -> Sequence[int]:
    events = _lock_next(conn, Event.id, Event.store_id, Event.name, after=after, size=size)
    shipments = [row.id for row in events if row.name in SHIPMENT_EVENTS]
    data = select(Event.store_id, Event.id, Event.data).where(Event.id.in_(shipments))
    add_tracking_numbers(conn, [(row.store_id, row.id, row.data) for row in conn.execute(data)])
    return [row.id for row in events]


def _lock_next(conn: Connection, *columns: InstrumentedAttribute[Any], after: int, size: int) -> Sequence[Any]:
    row_id = columns[0]
    query = select(*columns).where(row_id > after).order_by(row_id).limit(size)
    return conn.execute(query.with_for_update(read=True)).all()


_FILLERS = {PEOPLE: _fill_people, EVENTS_KIND: _fill_events}
FILLED_KINDS = tuple(_FILLERS)
