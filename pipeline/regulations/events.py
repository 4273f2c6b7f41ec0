"""Takes a person out of recorded events: their data, bodies and messages. Ids, times, outcomes and counts stay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from pipeline.events.catalogue import get_event_row
from pipeline.infra.compression import compress, decompress
from pipeline.ledger.schema.core import Body, Delivery, Event, EventPerson, EventSubject, Person
from pipeline.ledger.search_terms import remove_tracking_numbers
from pipeline.ledger.sql.tables import chunks, select_by_keys
from pipeline.redaction.body import ERASED, Redaction, find_names, find_redaction
from pipeline.redaction.identity import Identity
from pipeline.redaction.raw_body import redact_raw
from pipeline.regulations.people import FoundPerson

CUSTOMER, GIFT_RECIPIENT = "customer", "gift_recipient"


@dataclass(frozen=True, slots=True)
class _Link:
    """How an event is connected with the person, and with whom else."""

    roles: frozenset[str]
    has_others: bool  # people who are not erased


def find_linked_events(conn: Connection, person: FoundPerson) -> set[int]:
    """The events that concern the person, or one of their orders, subscriptions, shipments and gifts."""
    ids: set[int] = set()
    if person.person_id is not None:
        of_person = select(EventPerson.event_id).where(EventPerson.person_id == person.person_id)
        ids |= set(conn.execute(of_person).scalars())
    subjects = [(person.store.id, *subject) for subject in {*person.identity.bought, *person.identity.received}]
    table = EventSubject.__table__.c
    by = table.store_id, table.kind, table.subject_id
    return ids | {row.event_id for row in select_by_keys(conn, (table.event_id,), by, subjects)}


def load_names(conn: Connection, person: FoundPerson, event_ids: Collection[int]) -> Identity:
    """The person's identity, with all names by which these events call them."""
    names = set(person.identity.names)
    for part in chunks(sorted(event_ids)):
        for name, data in conn.execute(select(Event.name, Event.data).where(Event.id.in_(part))):
            names |= find_names(get_event_row(name), data, person.identity)
    return replace(person.identity, names=frozenset(names))


def redact_events(conn: Connection, person: FoundPerson, event_ids: Collection[int]) -> Counter[str]:
    """Take the person out of these events; returns how many events and bodies were emptied or redacted."""
    counts: Counter[str] = Counter()
    for part in chunks(sorted(event_ids)):
        links = _load_links(conn, person, part)
        columns = (Event.id, Event.name, Event.data, Event.notes, Body.raw)
        query = select(*columns).join(Body, Body.event_id == Event.id, isouter=True).where(Event.id.in_(part))
        for row in conn.execute(query).all():
            redaction = _choose_redaction(row, person.identity, links[row.id])
            counts.update(_redact_event(conn, row, redaction))
            counts["messages"] += _redact_copies(conn, row.id, person.person_id, redaction)
    return counts


def _load_links(conn: Connection, person: FoundPerson, event_ids: Collection[int]) -> Mapping[int, _Link]:
    roles: defaultdict[int, set[str]] = defaultdict(set)
    others: set[int] = set()
    living = or_(Person.email.is_not(None), Person.customer_id.is_not(None))
    columns = (EventPerson.event_id, EventPerson.person_id, EventPerson.role, living.label("is_living"))
    query = select(*columns).join(Person, Person.id == EventPerson.person_id).where(EventPerson.event_id.in_(event_ids))
    for row in conn.execute(query):
        if row.person_id == person.person_id:
            roles[row.event_id].add(row.role)
        elif row.is_living:
            others.add(row.event_id)
    return {event_id: _Link(frozenset(roles[event_id]), event_id in others) for event_id in event_ids}


def _choose_redaction(row: Row[Any], who: Identity, link: _Link) -> Redaction:
    event, is_recipient = get_event_row(row.name), GIFT_RECIPIENT in link.roles
    found = find_redaction(event, row.data, who, is_linked_recipient=is_recipient)
    if found is None:  # the data does not name them: a body's unknown field does, or nothing is left already
        is_theirs = CUSTOMER in link.roles or not row.data
        return Redaction("whole" if is_theirs and not link.has_others else "mention", who)
    if found.part == "whole" and link.has_others:  # the ledger knows a person whom the body does not name
        return replace(found, part="recipient" if is_recipient and CUSTOMER not in link.roles else "buyer")
    return found


def _redact_event(conn: Connection, row: Row[Any], redaction: Redaction) -> Iterable[str]:
    data = redaction.apply(row.data)
    raw = redact_raw((decompress(row.raw), None), [redaction]) if row.raw is not None and data else b""
    note = {"code": ERASED, "part": redaction.part}
    notes = row.notes if note in row.notes else [*row.notes, note]
    values = {"data": data, "packed": None, "unknown": [], "notes": notes}
    conn.execute(update(Event).where(Event.id == row.id).values(values))
    remove_tracking_numbers(conn, row.id, data)
    of_event = Body.event_id == row.id
    if not raw:
        conn.execute(delete(Body).where(of_event))
    elif row.raw is not None:
        conn.execute(update(Body).where(of_event).values(raw=compress(raw)))
    kept = "redacted" if data else "emptied"
    return [f"events_{kept}", *([f"bodies_{'redacted' if raw else 'emptied'}"] if row.raw is not None else [])]


def _redact_copies(conn: Connection, event_id: int, person_id: int | None, redaction: Redaction) -> int:
    """Take the person out of the messages that other people got of this event; returns how many changed."""
    columns = (Delivery.id, Delivery.message)
    mine = Delivery.event_id == event_id, Delivery.person_id != (person_id or 0), Delivery.kind != "forget"
    changed = 0
    for row in conn.execute(select(*columns).where(*mine)).all():
        message = {**row.message, "data": redaction.apply_to_copy(row.message.get("data", {}))}
        if message != row.message and row.message:
            conn.execute(update(Delivery).where(Delivery.id == row.id).values(message=message, packed=None))
            changed += 1
    return changed
