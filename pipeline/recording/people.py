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

from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.facts import Fact, KnownFacts, merge_fact, newest_time_us
from pipeline.fan_out.plan import AffectedPerson
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk import execute_bulk
from pipeline.ledger.sql.bulk_upsert import upsert
from pipeline.ledger.sql.insert import insert_returning_ids
from pipeline.ledger.sql.keyed import select_by_keys
from pipeline.ledger.sql.tables import chunks, get_table
from pipeline.recording.lookups import RecordingStore

_PERSON_TABLE = get_table(core.Person)
_UPDATED_COLUMNS = ("customer_id", "email", "attributes", "known_at", "untold_since")
_UPDATE_PERSON = (
    update(_PERSON_TABLE)
    .where(_PERSON_TABLE.c.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in _UPDATED_COLUMNS})
)

PersonKey = tuple[int, str, str]  # (store id, "customer" | "email" | "order" | "subscription" | "shipment", value)


@dataclass(slots=True)
class PersonDraft:
    """A person while a batch is recorded."""

    store: RecordingStore
    customer_id: int | None
    email: str | None
    id: int = 0  # 0 until written
    attributes: dict[str, Any] = field(default_factory=dict)
    known: KnownFacts = field(default_factory=dict)
    changed_facts: set[tuple[str, str]] = field(default_factory=set)
    is_changed: bool = False
    untold_since: int | None = None
    newest: int | None = None  # of what is known, once somebody has asked

    def note(self, facts: Iterable[Fact], as_of: int) -> None:
        """Merge facts, and leave it to whoever learns next to make a profile of them."""
        for fact in facts:
            if merge_fact(self.known, fact, as_of):
                self.changed_facts.add((fact.kind, fact.subject))
                self.untold_since = self.untold_since or as_of
                self.newest = None if self.newest is None else max(self.newest, as_of)

    def update_attributes(self, facts: Iterable[Fact], as_of: int) -> dict[str, Any] | None:
        """Merge facts. If the attributes change: the new ones, with None for every one that is to be cleared."""
        self.note(facts, as_of)
        self.is_changed = self.is_changed or self.untold_since is not None
        self.untold_since = None
        now = build_attributes(self.known, self.store.name, self.store.currency)
        self.email = now.get("email") or self.email
        if self.email is not None:
            now["email"] = self.email
        if now == self.attributes:
            return None
        cleared = dict.fromkeys(self.attributes.keys() - now.keys())
        self.attributes, self.is_changed = now, True
        return now | cleared

    @property
    def known_at(self) -> int:
        """µs of the newest thing known. Facts are only ever replaced by newer ones, so it is looked for once."""
        if self.newest is None:
            self.newest = newest_time_us(self.known)
        return self.newest


def build_person_keys(store_id: int, affected: AffectedPerson) -> list[PersonKey]:
    """What leads to a person, the surest first."""
    found: list[PersonKey] = []
    if affected.customer_id is not None:
        found.append((store_id, "customer", str(affected.customer_id)))
    if affected.email is not None:
        found.append((store_id, "email", affected.email))
    return [*found, *((store_id, kind, str(number)) for kind, number in affected.subjects)]


class PersonResolver:
    """Finds or makes the people of a batch, and writes what changed. Not shared between batches."""

    def __init__(self, conn: Database, wanted: Iterable[PersonKey], stores: Iterable[RecordingStore], now: int) -> None:
        self._db, self._now = conn, now
        self._stores = {store.id: store for store in stores}
        self._by_key: dict[PersonKey, PersonDraft] = {}
        self._new_person_keys: dict[PersonKey, PersonDraft] = {}
        self._new_people: list[PersonDraft] = []
        self._newly_identified: list[PersonDraft] = []
        self._load(wanted)

    def find(self, store: RecordingStore, affected: AffectedPerson) -> PersonDraft | None:
        """The person these lead to; a new one if nobody is known by them; None if the body names nobody."""
        keys = build_person_keys(store.id, affected)
        someone = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if someone is None:
            if affected.customer_id is None and affected.email is None:
                return None
            someone = PersonDraft(store, affected.customer_id, affected.email)
            self._new_people.append(someone)
        if affected.customer_id is not None and someone.customer_id is None:
            someone.customer_id, someone.is_changed = affected.customer_id, True
            self._newly_identified.append(someone)
        someone.email = someone.email or affected.email
        for key in keys:
            if key not in self._by_key:
                self._by_key[key] = self._new_person_keys[key] = someone
        return someone

    @property
    def people(self) -> list[PersonDraft]:
        """All people of this book, the oldest first."""
        return sorted({id(one): one for one in self._by_key.values()}.values(), key=lambda one: one.id)

    def write_new(self) -> None:
        """Give every new person a row, and with it an id."""
        people = get_table(core.Person)
        blank = {"attributes": {}, "known_at": 0, "created_at": self._now}
        rows = [
            {"store_id": one.store.id, "customer_id": one.customer_id, "email": one.email, **blank}
            for one in self._new_people
        ]
        for someone, person_id in zip(self._new_people, insert_returning_ids(self._db, people, rows), strict=True):
            someone.id = person_id
        keys = [
            {"store_id": store_id, "kind": kind, "value": value, "person_id": someone.id}
            for (store_id, kind, value), someone in self._new_person_keys.items()
        ]
        upsert(self._db, get_table(core.PersonKey), keys, update_columns=())
        self._forget_sent_profiles()

    def write_changes(self) -> None:
        """Write the facts that were touched and the people that changed."""
        everybody = self.people
        facts = [
            {"person_id": one.id, "kind": kind, "subject": subject, "data": one.known[kind, subject]}
            for one in everybody
            for kind, subject in sorted(one.changed_facts)
        ]
        upsert(self._db, get_table(core.Fact), facts, update_columns=("data",))
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
            if one.is_changed or one.changed_facts
        ]
        execute_bulk(self._db, _UPDATE_PERSON, rows)

    def _forget_sent_profiles(self) -> None:
        """Whoever was known by address alone has another identifier now: no platform knows them by it yet."""
        introduction = get_table(core.ProfileSent)
        ids = [someone.id for someone in self._newly_identified]
        if ids:
            self._db.execute(delete(introduction).where(introduction.c.person_id.in_(ids)))

    def _load(self, wanted: Iterable[PersonKey]) -> None:
        keys, people, facts = (get_table(model) for model in (core.PersonKey, core.Person, core.Fact))
        by = keys.c.store_id, keys.c.kind, keys.c.value
        leads = {
            (row.store_id, row.kind, row.value): row.person_id
            for row in select_by_keys(self._db, tuple(keys.c), by, wanted)
        }
        found: dict[int, PersonDraft] = {}
        for part in chunks(set(leads.values())):
            for row in self._db.execute(select(people).where(people.c.id.in_(part))):
                store = self._stores[row.store_id]
                known = {"attributes": dict(row.attributes), "untold_since": row.untold_since}
                found[row.id] = PersonDraft(store, row.customer_id, row.email, row.id, **known)
            for row in self._db.execute(select(facts).where(facts.c.person_id.in_(part))):
                found[row.person_id].known[row.kind, row.subject] = dict(row.data)
        self._by_key = {key: found[person_id] for key, person_id in leads.items()}
