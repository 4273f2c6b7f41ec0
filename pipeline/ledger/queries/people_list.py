"""The people of stores, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, union_all

from pipeline.ledger.schema.core import Person, Store


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person, for lists. Times in µs."""

    id: int
    store: str
    customer_id: int | None
    email: str | None = field(repr=False)
    attributes: dict[str, Any] = field(repr=False)
    withheld: str | None
    known_at: int
    created_at: int


def list_people(
    conn: Connection, store_ids: Collection[int], *, before: int | None = None, limit: int = 50
) -> list[PersonSummary]:
    """A page of the people of these stores, newest first; the next page begins `before` the last one's id."""
    if not store_ids:
        return []
    parts = []
    for store_id in store_ids:
        mine = [Person.store_id == store_id, *([] if before is None else [Person.id < before])]
        newest = select(Person.id).where(*mine).order_by(Person.id.desc()).limit(limit)
        parts.append(select(newest.subquery().c.id))  # SQLite takes no LIMIT inside a UNION except in a subquery
    found = union_all(*parts).subquery()
    ids = list(conn.execute(select(found.c.id).order_by(found.c.id.desc()).limit(limit)).scalars())
    columns = (Person.id, Store.name.label("store"), Person.customer_id, Person.email, Person.attributes)
    times = (Person.withheld, Person.known_at, Person.created_at)
    query = select(*columns, *times).join(Store, Store.id == Person.store_id).where(Person.id.in_(ids))
    return [PersonSummary(**row._asdict()) for row in conn.execute(query.order_by(Person.id.desc()))]


def find_store_of_person(conn: Connection, store_ids: Collection[int], person_id: int) -> int | None:
    """The store of this person, if it is one of these."""
    mine = Person.id == person_id, Person.store_id.in_(store_ids)
    return conn.execute(select(Person.store_id).where(*mine)).scalar()
