"""The people of several stores: a page of them, the newest changes first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, tuple_

from pipeline.ledger.queries.by_store import Order, find_ids_by_store
from pipeline.ledger.schema.core import Person, Store

_NEWEST_CHANGES = Order(Person, ("known_at", "id"))


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person, for lists. Times are µs; `known_at` is that of the newest thing that the store has shown about them."""

    id: int
    store: str
    customer_id: int | None
    email: str | None = field(repr=False)
    withheld: str | None
    known_at: int
    created_at: int
    attributes: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeopleCursor:
    """Where the next page begins: below this person in the order of the list."""

    known_at: int
    person_id: int


def list_people(
    conn: Connection,
    store_ids: Collection[int],
    *,
    only_withheld: bool = False,
    after: PeopleCursor | None = None,
    limit: int = 50,
) -> list[PersonSummary]:
    """A page of the people of these stores, the newest changes first. Each store is read by its own index."""
    conditions: list[ColumnElement[bool]] = [Person.withheld.is_not(None)] if only_withheld else []
    if after is not None:
        conditions.append(tuple_(Person.known_at, Person.id) < (after.known_at, after.person_id))
    newest = select(Person.id).where(Person.store_id == Store.id, *conditions)
    newest = newest.order_by(Person.known_at.desc(), Person.id.desc()).limit(limit)
    return load_people(conn, find_ids_by_store(conn, store_ids, newest, limit, _NEWEST_CHANGES))


def load_people(conn: Connection, person_ids: Sequence[int]) -> list[PersonSummary]:
    """These people, in this order. The caller has seen to it that the reader may see them."""
    columns = (Person.id, Store.name.label("store"), Person.customer_id, Person.email, Person.withheld)
    more = (Person.known_at, Person.created_at, Person.attributes)
    query = select(*columns, *more).join(Store, Store.id == Person.store_id)
    rows = {row.id: PersonSummary(**row._asdict()) for row in conn.execute(query.where(Person.id.in_(person_ids)))}
    return [rows[person_id] for person_id in person_ids if person_id in rows]


def find_store_of_person(conn: Connection, store_ids: Collection[int], person_id: int) -> int | None:
    """The store of this person, if it is one of these."""
    mine = Person.id == person_id, Person.store_id.in_(store_ids)
    return conn.execute(select(Person.store_id).where(*mine)).scalar()
