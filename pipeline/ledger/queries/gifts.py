"""The gifts of one person, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from pipeline.ledger.queries.people import choose_name
from pipeline.ledger.schema.core import Fact, Gift, Person, PersonKey
from pipeline.ledger.sql.tables import select_by_keys

MAX_GIFTS = 100  # orders, subscriptions and boxes of one person: the newest
KINDS = ("order", "subscription", "shipment")
_RECEIVED = "gift_received"  # the kind of a recipient's fact; its subject is such as "order:7015"


@dataclass(frozen=True, slots=True)
class GiftOf:
    """What one person has given to, or received from, another: a gift has an order, a subscription and boxes.

    `person_id` and `name` are of the other person, None where the ledger does not know them or they were erased.
    """

    person_id: int | None
    name: str | None = field(repr=False)
    subjects: tuple[tuple[str, int], ...]  # (order, subscription or shipment; its number)
    as_of: int  # µs of the newest
    messages: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gifts:
    """Both directions, the newest first."""

    given: tuple[GiftOf, ...]
    received: tuple[GiftOf, ...]


def list_gifts(conn: Connection, store_id: int, person_id: int) -> Gifts:
    """The gifts that a person of a store has given and received."""
    return Gifts(_list_given(conn, store_id, person_id), _list_received(conn, store_id, person_id))


def _list_given(conn: Connection, store_id: int, person_id: int) -> tuple[GiftOf, ...]:
    mine = select(PersonKey.kind, PersonKey.value).where(
        PersonKey.person_id == person_id, PersonKey.store_id == store_id, PersonKey.kind.in_(KINDS)
    )
    bought = [(kind, int(value)) for kind, value in conn.execute(mine)]
    rows = [row for row in _load(conn, store_id, bought) if row.email or row.data]
    people = _find_people(conn, store_id, {("email", row.email) for row in rows if row.email})
    return _group((row, people.get(("email", row.email or "")), row.data.get("name")) for row in rows)


def _list_received(conn: Connection, store_id: int, person_id: int) -> tuple[GiftOf, ...]:
    shown = select(Fact.subject).where(Fact.person_id == person_id, Fact.kind == _RECEIVED)
    parts = (subject.partition(":") for subject in conn.execute(shown).scalars())
    subjects = [(kind, int(number)) for kind, _, number in parts if number.isdecimal()]
    rows = _load(conn, store_id, subjects)
    people = _find_people(conn, store_id, {(row.kind, str(row.subject_id)) for row in rows})
    return _group((row, people.get((row.kind, str(row.subject_id))), row.data.get("giver_first_name")) for row in rows)


def _load(conn: Connection, store_id: int, subjects: Collection[tuple[str, int]]) -> list[Any]:
    gift = Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    newest = sorted(subjects, key=lambda subject: subject[1], reverse=True)[:MAX_GIFTS]
    rows = select_by_keys(conn, (*by, gift.email, gift.data, gift.as_of), by, [(store_id, *key) for key in newest])
    return sorted(rows, key=lambda row: (-row.as_of, KINDS.index(row.kind), -row.subject_id))


def _find_people(
    conn: Connection, store_id: int, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, str | None]]:
    """The people to whom these keys lead: their ids, and what they are called."""
    table = PersonKey.__table__.c
    by = table.store_id, table.kind, table.value
    found = {
        (row.kind, row.value): row.person_id
        for row in select_by_keys(conn, (*by, table.person_id), by, [(store_id, *key) for key in sorted(keys)])
    }
    columns = (Person.id, Person.attributes, Person.email)
    rows = conn.execute(select(*columns).where(Person.id.in_(set(found.values())))) if found else ()
    names = {row.id: choose_name(row.attributes, row.email) for row in rows}
    return {key: (person_id, names.get(person_id)) for key, person_id in found.items()}


def _group(found: Iterable[tuple[Any, tuple[int, str | None] | None, str | None]]) -> tuple[GiftOf, ...]:
    """One for each other person, in the order of their newest. `found`: rows with the person, and the name typed."""
    groups: dict[tuple[int | None, str | None], list[Any]] = {}
    for row, other, typed in found:
        person_id, name = other or (None, None)
        groups.setdefault((person_id, name or typed), []).append(row)
    return tuple(
        GiftOf(
            person_id=person_id,
            name=name,
            subjects=tuple((row.kind, row.subject_id) for row in rows),
            as_of=max(row.as_of for row in rows),
            messages=tuple(dict.fromkeys(row.data["message"] for row in rows if row.data.get("message"))),
        )
        for (person_id, name), rows in groups.items()
    )
