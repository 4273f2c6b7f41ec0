"""The people of one batch: found by customer id, address or what is theirs, made if new, and what is known of them.

A body may name only an order: then the order's customer is meant, as told before. A customer id and every address ever
seen with it lead to the same person, for ever. So a gift recipient who later registers with the same address becomes
that customer, and two accounts with one address are one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import bindparam, delete, select, update

from pipeline.fan_out.attributes import attributes_of
from pipeline.fan_out.facts import Fact
from pipeline.fan_out.merge import Known, known_at, merge
from pipeline.fan_out.plan import Concerned
from pipeline.ledger import tables
from pipeline.record.by_keys import rows_by
from pipeline.record.in_bulk import in_bulk
from pipeline.record.known import StoreRow, chunks, table_of
from pipeline.record.numbered import insert_numbered
from pipeline.record.upsert import upsert

_PEOPLE = table_of(tables.Person)
_CHANGED = ("customer_id", "email", "attributes", "known_at", "untold_since")
_CHANGE = update(_PEOPLE).where(_PEOPLE.c.id == bindparam("b_id")).values({name: bindparam(name) for name in _CHANGED})

Key = tuple[int, str, str]  # (store id, "customer" | "email" | "order" | "subscription" | "shipment", value)


@dataclass(slots=True)
class Someone:
    """A person while a batch is recorded."""

    store: StoreRow
    customer_id: int | None
    email: str | None
    id: int = 0  # 0 until written
    attributes: dict[str, Any] = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    touched: set[tuple[str, str]] = field(default_factory=set)
    changed: bool = False
    untold_since: int | None = None
    newest: int | None = None  # of what is known, once somebody has asked

    def note(self, facts: Iterable[Fact], as_of: int) -> None:
        """Merge facts, and leave it to whoever learns next to make a profile of them."""
        for fact in facts:
            if merge(self.known, fact, as_of):
                self.touched.add((fact.kind, fact.subject))
                self.untold_since = self.untold_since or as_of
                self.newest = None if self.newest is None else max(self.newest, as_of)

    def learn(self, facts: Iterable[Fact], as_of: int) -> dict[str, Any] | None:
        """Merge facts. If the attributes change: the new ones, with None for every one that is to be cleared."""
        self.note(facts, as_of)
        self.changed = self.changed or self.untold_since is not None
        self.untold_since = None
        now = attributes_of(self.known, self.store.name, self.store.currency)
        self.email = now.get("email") or self.email
        if self.email is not None:
            now["email"] = self.email
        if now == self.attributes:
            return None
        cleared = dict.fromkeys(self.attributes.keys() - now.keys())
        self.attributes, self.changed = now, True
        return now | cleared

    @property
    def known_at(self) -> int:
        """µs of the newest thing known. Facts are only ever replaced by newer ones, so it is looked for once."""
        if self.newest is None:
            self.newest = known_at(self.known)
        return self.newest


def keys_of(store_id: int, concerned: Concerned) -> list[Key]:
    """What leads to a person, the surest first."""
    found: list[Key] = []
    if concerned.customer_id is not None:
        found.append((store_id, "customer", str(concerned.customer_id)))
    if concerned.email is not None:
        found.append((store_id, "email", concerned.email))
    return [*found, *((store_id, kind, str(number)) for kind, number in concerned.subjects)]


class PeopleBook:
    """Finds or makes the people of a batch, and writes what changed. Not shared between batches."""

    def __init__(self, db: Database, wanted: Iterable[Key], stores: Iterable[StoreRow], now: int) -> None:
        self._db, self._now = db, now
        self._stores = {store.id: store for store in stores}
        self._by_key: dict[Key, Someone] = {}
        self._new_keys: dict[Key, Someone] = {}
        self._new_people: list[Someone] = []
        self._renamed: list[Someone] = []
        self._load(wanted)

    def find(self, store: StoreRow, concerned: Concerned) -> Someone | None:
        """The person these lead to; a new one if nobody is known by them; None if the body names nobody."""
        keys = keys_of(store.id, concerned)
        someone = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if someone is None:
            if concerned.customer_id is None and concerned.email is None:
                return None
            someone = Someone(store, concerned.customer_id, concerned.email)
            self._new_people.append(someone)
        if concerned.customer_id is not None and someone.customer_id is None:
            someone.customer_id, someone.changed = concerned.customer_id, True
            self._renamed.append(someone)
        someone.email = someone.email or concerned.email
        for key in keys:
            if key not in self._by_key:
                self._by_key[key] = self._new_keys[key] = someone
        return someone

    @property
    def everybody(self) -> list[Someone]:
        """All people of this book, the oldest first."""
        return sorted({id(one): one for one in self._by_key.values()}.values(), key=lambda one: one.id)

    def write_new(self) -> None:
        """Give every new person a row, and with it an id."""
        people = table_of(tables.Person)
        blank = {"attributes": {}, "known_at": 0, "created_at": self._now}
        rows = [
            {"store_id": one.store.id, "customer_id": one.customer_id, "email": one.email, **blank}
            for one in self._new_people
        ]
        for someone, person_id in zip(self._new_people, insert_numbered(self._db, people, rows), strict=True):
            someone.id = person_id
        keys = [
            {"store_id": store_id, "kind": kind, "value": value, "person_id": someone.id}
            for (store_id, kind, value), someone in self._new_keys.items()
        ]
        upsert(self._db, table_of(tables.PersonKey), keys, update=())
        self._introduce_again()

    def write_changes(self) -> None:
        """Write the facts that were touched and the people that changed."""
        everybody = self.everybody
        facts = [
            {"person_id": one.id, "kind": kind, "subject": subject, "data": one.known[kind, subject]}
            for one in everybody
            for kind, subject in sorted(one.touched)
        ]
        upsert(self._db, table_of(tables.Fact), facts, update=("data",))
        rows = [
            {
                "b_id": one.id,
                "customer_id": one.customer_id,
                "email": one.email,
                "attributes": one.attributes,
                "known_at": one.known_at,
                "untold_since": one.untold_since,
            }
            for one in everybody
            if one.changed or one.touched
        ]
        in_bulk(self._db, _CHANGE, rows)

    def _introduce_again(self) -> None:
        """Whoever was known by address alone has another identifier now: no platform knows them by it yet."""
        introduction = table_of(tables.Introduction)
        ids = [someone.id for someone in self._renamed]
        if ids:
            self._db.execute(delete(introduction).where(introduction.c.person_id.in_(ids)))

    def _load(self, wanted: Iterable[Key]) -> None:
        keys, people, facts = (table_of(model) for model in (tables.PersonKey, tables.Person, tables.Fact))
        by = keys.c.store_id, keys.c.kind, keys.c.value
        leads = {
            (row.store_id, row.kind, row.value): row.person_id for row in rows_by(self._db, tuple(keys.c), by, wanted)
        }
        found: dict[int, Someone] = {}
        for part in chunks(set(leads.values())):
            for row in self._db.execute(select(people).where(people.c.id.in_(part))):
                store = self._stores[row.store_id]
                known = {"attributes": dict(row.attributes), "untold_since": row.untold_since}
                found[row.id] = Someone(store, row.customer_id, row.email, row.id, **known)
            for row in self._db.execute(select(facts).where(facts.c.person_id.in_(part))):
                found[row.person_id].known[row.kind, row.subject] = dict(row.data)
        self._by_key = {key: found[person_id] for key, person_id in leads.items()}
