"""Everything that is stored about one person, as one document. Its format is in docs/personal-data.md."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EventRow, get_event_row
from pipeline.infra.compression import decompress
from pipeline.ledger.queries.deliveries import list_calls
from pipeline.ledger.regulations import list_person_regulations
from pipeline.ledger.schema.core import (
    Body,
    DeadHook,
    Delivery,
    Event,
    EventPerson,
    Fact,
    Gift,
    Person,
    PersonKey,
    StoreConnection,
)
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.sql.tables import chunks, select_by_keys
from pipeline.redaction.body import Redaction, find_redaction
from pipeline.redaction.identity import build_identity, list_customer_keys
from pipeline.redaction.raw_body import redact_raw
from pipeline.regulations.boxes import load_boxes
from pipeline.regulations.events import CUSTOMER, GIFT_RECIPIENT, find_linked_events
from pipeline.regulations.mentions import find_mentions
from pipeline.regulations.people import FoundPerson

FORMAT, VERSION = "cratewire-person", 1
_EVENT_COLUMNS = (
    *(Event.id, Event.ulid, Event.receipt, Event.name, Event.source, Event.subject, Event.subject_id, Event.form),
    *(Event.is_test, Event.outcome, Event.duplicates, Event.occurred_at, Event.received_at, Event.recorded_at),
    *(Event.notes, Event.data, Body.raw),
)
_MESSAGE_COLUMNS = (
    *(Delivery.id, Delivery.event_id, StoreConnection.platform, StoreConnection.label, Delivery.kind, Delivery.name),
    *(Delivery.message_id, Delivery.status, Delivery.reason, Delivery.detail, Delivery.notes),
    *(Delivery.created_at, Delivery.done_at, Delivery.message),
)


def export_person(conn: Connection, person: FoundPerson, now: int, secret_keys: Sequence[str] = ()) -> dict[str, Any]:
    """The document about a person. Of gifts to them it has what is theirs, and not what is the giver's.

    `secret_keys` open the addresses of boxes. Raises Misconfigured if the store has no such person.
    """
    if person.person_id is None:
        raise Misconfigured(f"the store {person.store.name} has no person with that address or id")
    mentions = find_mentions(conn, person.store, person.identity)
    events = _load_events(conn, person, find_linked_events(conn, person) | mentions.events)
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": now,
        "store": person.store.name,
        "person": _load_person(conn, person.person_id),
        "keys": _load_keys(conn, person.person_id),
        "facts": _load_facts(conn, person.person_id, {event["received_at"]: event["id"] for event in events}),
        "attribute_changes": _load_attribute_changes(conn, person.person_id),
        "events": events,
        "messages": _load_messages(conn, person.person_id),
        "gifts": _load_gifts(conn, person),
        "boxes": load_boxes(conn, person, secret_keys),
        "dead_hooks": _load_dead_hooks(conn, mentions.dead_hooks),
        "regulations": [
            {"id": row.id, "kind": row.kind, "created_at": row.created_at, "applied_at": row.applied_at}
            for row in list_person_regulations(conn, person.person_id)
        ],
    }


def encode_bytes(raw: bytes) -> dict[str, str]:
    """Bytes for JSON: as text where they are UTF-8, else in base64."""
    try:
        return {"encoding": "utf-8", "content": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"encoding": "base64", "content": base64.b64encode(raw).decode("ascii")}


def _load_person(conn: Connection, person_id: int) -> dict[str, Any]:
    columns = (Person.id, Person.customer_id, Person.email, Person.created_at, Person.known_at, Person.attributes)
    return conn.execute(select(*columns).where(Person.id == person_id)).one()._asdict()


def _load_keys(conn: Connection, person_id: int) -> list[dict[str, Any]]:
    query = select(PersonKey.kind, PersonKey.value).where(PersonKey.person_id == person_id)
    return [row._asdict() for row in conn.execute(query.order_by(PersonKey.kind, PersonKey.value))]


def _load_facts(conn: Connection, person_id: int, origins: Mapping[int, int]) -> list[dict[str, Any]]:
    """The facts, each field with its origin: the event whose hook was received when the value was learned.

    `origins`: event ids by that time. A value read from the store's API has no event.
    """
    query = select(Fact.kind, Fact.subject, Fact.data).where(Fact.person_id == person_id)
    return [
        {
            "kind": row.kind,
            "subject": row.subject,
            "fields": {
                name: {"value": value, "as_of": as_of, "event": origins.get(as_of)}
                for name, (as_of, value) in sorted(row.data.items())
            },
        }
        for row in conn.execute(query.order_by(Fact.kind, Fact.subject))
    ]


def _load_attribute_changes(conn: Connection, person_id: int) -> list[dict[str, Any]]:
    """What the attributes were before, the oldest change first."""
    columns = (AttributeChange.event_id, AttributeChange.at, AttributeChange.data)
    query = select(*columns).where(AttributeChange.person_id == person_id).order_by(AttributeChange.id)
    return [{"at": row.at, "event": row.event_id, "before": row.data} for row in conn.execute(query)]


def _load_events(conn: Connection, person: FoundPerson, event_ids: Collection[int]) -> list[dict[str, Any]]:
    roles: defaultdict[int, set[str]] = defaultdict(set)
    of_person = select(EventPerson.event_id, EventPerson.role).where(EventPerson.person_id == person.person_id)
    for event_id, role in conn.execute(of_person):
        roles[event_id].add(role)
    shown = []
    for part in chunks(sorted(event_ids)):
        query = select(*_EVENT_COLUMNS).join(Body, Body.event_id == Event.id, isouter=True).where(Event.id.in_(part))
        for row in conn.execute(query.order_by(Event.id)).all():
            event = get_event_row(row.name)
            found = find_redaction(
                event, row.data, person.identity, is_linked_recipient=GIFT_RECIPIENT in roles[row.id]
            )
            if not roles[row.id] and (found is None or found.part == "mention"):
                continue  # another person's event
            is_gift_to_them = found is not None and found.part == "recipient" and CUSTOMER not in roles[row.id]
            shown.append(_build_event(row, sorted(roles[row.id]), _find_giver(event, row) if is_gift_to_them else None))
    return shown


def _find_giver(event: EventRow, row: Row[Any]) -> Redaction | None:
    """How the giver is taken out of what a gift's recipient is shown."""
    found = find_redaction(event, row.data, build_identity(list_customer_keys(event, row.data)))
    return None if found is None else Redaction("buyer", found.who, found.words, found.phrases)


def _build_event(row: Row[Any], roles: list[str], giver: Redaction | None) -> dict[str, Any]:
    document = {name: value for name, value in row._asdict().items() if name != "raw"}
    raw = None if row.raw is None else decompress(row.raw)
    if giver is not None:
        document["data"] = giver.apply(row.data)
        raw = None if raw is None else redact_raw((raw, None), [giver]) or None
    return {**document, "roles": roles, "body": None if raw is None else encode_bytes(raw)}


def _load_messages(conn: Connection, person_id: int) -> list[dict[str, Any]]:
    query = select(*_MESSAGE_COLUMNS).join(StoreConnection, StoreConnection.id == Delivery.connection_id)
    rows = conn.execute(query.where(Delivery.person_id == person_id).order_by(Delivery.id)).all()
    calls: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in chunks([row.id for row in rows]):
        for call in list_calls(conn, part):
            for delivery_id in call.delivery_ids:
                calls[delivery_id].append(
                    {
                        name: getattr(call, name)
                        for name in ("id", "method", "endpoint", "status", "error", "started_at")
                    }
                )
    return [{**row._asdict(), "calls": calls[row.id]} for row in rows]


def _load_gifts(conn: Connection, person: FoundPerson) -> dict[str, list[dict[str, Any]]]:
    """Gifts by subject: those they gave, with what they typed about the recipient, and those they received."""
    gift = Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    columns = (*by, gift.email, gift.data, gift.as_of)

    def load(subjects: Collection[tuple[str, int]]) -> list[dict[str, Any]]:
        keys = [(person.store.id, *subject) for subject in sorted(subjects)]
        found = select_by_keys(conn, columns, by, keys)
        return [{key: value for key, value in row._asdict().items() if key != "store_id"} for row in found]

    return {"given": load(person.identity.bought), "received": load(person.identity.received)}


def _load_dead_hooks(conn: Connection, dead_ids: Collection[int]) -> list[dict[str, Any]]:
    columns = (DeadHook.id, DeadHook.receipt, DeadHook.event, DeadHook.reason, DeadHook.received_at, DeadHook.query)
    found = []
    for part in chunks(sorted(dead_ids)):
        for row in conn.execute(select(*columns, DeadHook.raw).where(DeadHook.id.in_(part)).order_by(DeadHook.id)):
            document = {name: value for name, value in row._asdict().items() if name != "raw"}
            found.append({**document, "body": encode_bytes(decompress(row.raw))})
    return found
