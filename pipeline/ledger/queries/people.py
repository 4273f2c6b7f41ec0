"""People: their keys, attributes and facts, and their last events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, union

from pipeline.ledger.queries.events import EventFilter, EventSummary, list_events
from pipeline.ledger.schema.core import Fact, Person, PersonKey, Store
from schemas.email import normalize_email

_MAX_EVENTS = 20


def choose_name(attributes: Mapping[str, Any], email: str | None) -> str | None:
    """What a person is called where people read: their name, else their address, else None."""
    name = " ".join(str(attributes[key]) for key in ("first_name", "last_name") if attributes.get(key))
    return name or email


@dataclass(frozen=True, slots=True)
class FactDetail:
    """What is known about one subject of a person: {field: [as_of µs, value]}."""

    kind: str
    subject: str
    data: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """A person of one store. `keys` are all customer ids and addresses that find them."""

    id: int
    store: str
    customer_id: int | None
    email: str | None = field(repr=False)
    known_at: int
    created_at: int
    withheld: str | None  # why nothing is sent about them: a code of `pipeline.events.notes`
    attributes: dict[str, Any] = field(repr=False)
    keys: list[tuple[str, str]] = field(repr=False)
    facts: list[FactDetail]
    events: list[EventSummary]


def find_people(conn: Connection, text: str) -> list[PersonDetail]:
    """The people with this e-mail address, customer id or person id: at most one per store and key.

    An address is searched in its normal form, and as it was stored before addresses were normalized.
    """
    return [_load_person(conn, person_id) for person_id in sorted(_find_person_ids(conn, text.strip().lower()))]


def get_person(conn: Connection, store_id: int, person_id: int) -> PersonDetail | None:
    """A person of a store by the id of their row; None if the store has no such person."""
    mine = select(Person.id).where(Person.id == person_id, Person.store_id == store_id)
    return None if conn.execute(mine).first() is None else _load_person(conn, person_id)


def _find_person_ids(conn: Connection, wanted: str) -> Collection[int]:
    names = (PersonKey.kind == "customer", PersonKey.value == wanted)
    if "@" in wanted:
        names = (PersonKey.kind == "email", PersonKey.value.in_({wanted, normalize_email(wanted)}))
    # By store, since the key's index begins with the store.
    keyed = select(PersonKey.person_id).where(PersonKey.store_id.in_(select(Store.id)), *names)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < len(str(2**63))):
        return set(conn.execute(keyed).scalars())
    return set(conn.execute(union(keyed, select(Person.id).where(Person.id == int(wanted)))).scalars())


def _load_person(conn: Connection, person_id: int) -> PersonDetail:
    columns = (Person.id, Store.name.label("store"), Person.customer_id, Person.email)
    times = (Person.known_at, Person.created_at, Person.withheld, Person.attributes)
    query = select(*columns, *times).join(Store, Store.id == Person.store_id).where(Person.id == person_id)
    names = PersonKey.person_id == person_id, PersonKey.kind.in_(("customer", "email"))
    keys = select(PersonKey.kind, PersonKey.value).where(*names)
    facts = select(Fact.kind, Fact.subject, Fact.data).where(Fact.person_id == person_id)
    return PersonDetail(
        **conn.execute(query).one()._asdict(),
        keys=[(kind, value) for kind, value in conn.execute(keys.order_by(PersonKey.kind, PersonKey.value))],
        facts=[FactDetail(*row) for row in conn.execute(facts.order_by(Fact.kind, Fact.subject))],
        events=list_events(conn, EventFilter(person_id=person_id), limit=_MAX_EVENTS),
    )
