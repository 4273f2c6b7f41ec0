"""Finds the person of a store by what an operator or an owner types, and what identifies them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.schema.core import Fact, Gift, Person, PersonKey
from pipeline.ledger.sql.tables import chunks
from pipeline.ledger.stores import StoreRow
from pipeline.redaction.identity import GIFT_PREFIX, Identity, Key, build_identity
from schemas.email import is_email, normalize_email

_NAME_FIELDS = ("name", "first_name", "last_name")
_MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person of a store: their row's id, None if there is none, and what identifies them."""

    store: StoreRow
    person_id: int | None
    identity: Identity


def find_person(conn: Connection, store: StoreRow, text: str) -> FoundPerson:
    """The person with this e-mail address, customer id or person id; `person:7` and `customer:7` name one of the two.

    A person whom the store's ledger does not have is identified by the address or customer id alone. Raises
    Misconfigured for anything else, and for a number that names two people.
    """
    wanted = text.strip().lower()
    if "@" in wanted:
        email = normalize_email(wanted)
        if not is_email(email):
            raise Misconfigured("that is not an e-mail address")
        key: Key = ("email", str(email))
        return _load(conn, store, _find_by_key(conn, store.id, key), key)
    kind, _, number = wanted.rpartition(":")
    if not (number.isascii() and number.isdecimal() and len(number) <= _MAX_ID_DIGITS) or kind not in (
        "",
        "person",
        "customer",
    ):
        raise Misconfigured("give an e-mail address, a customer id or a person id")
    by_customer = _find_by_key(conn, store.id, ("customer", number)) if kind != "person" else None
    by_row = _find_row(conn, store.id, int(number)) if kind != "customer" else None
    if by_customer is not None and by_row is not None and by_customer != by_row:
        raise Misconfigured(f"{number} names two people: give customer:{number}, person:{number} or an address")
    person_id = by_customer if by_customer is not None else by_row
    if person_id is None and kind == "person":
        raise Misconfigured(f"the store {store.name} has no person {number}")
    return _load(conn, store, person_id, ("customer", number) if person_id is None else None)


def load_person(conn: Connection, store: StoreRow, person_id: int) -> FoundPerson:
    """A person of a store by the id of their row."""
    return _load(conn, store, person_id, None)


def _load(conn: Connection, store: StoreRow, person_id: int | None, typed: Key | None) -> FoundPerson:
    keys = [] if typed is None else [typed]
    names: set[str] = set()
    if person_id is not None:
        mine = PersonKey.person_id == person_id, PersonKey.store_id == store.id
        keys += [(kind, value) for kind, value in conn.execute(select(PersonKey.kind, PersonKey.value).where(*mine))]
        names = _load_names(conn, person_id)
    emails = [value for kind, value in keys if kind == "email"]
    for part in chunks(emails):
        of_gifts = Gift.store_id == store.id, Gift.email.in_(part)
        for gift in conn.execute(select(Gift.kind, Gift.subject_id, Gift.data).where(*of_gifts)):
            keys.append((f"{GIFT_PREFIX}{gift.kind}", str(gift.subject_id)))
            names |= _strings([gift.data.get("name")])
    return FoundPerson(store, person_id, build_identity(keys, names))


def _load_names(conn: Connection, person_id: int) -> set[str]:
    """All names by which facts and attributes call a person."""
    names: set[str] = set()
    for kind, data in conn.execute(select(Fact.kind, Fact.data).where(Fact.person_id == person_id)):
        fields = ("name",) if kind == "gift_received" else _NAME_FIELDS if kind == "customer" else ()
        names |= _strings(data[name][1] for name in fields if name in data)
    attributes = conn.execute(select(Person.attributes).where(Person.id == person_id)).scalar() or {}
    names |= _strings(attributes.get(name) for name in _NAME_FIELDS)
    full = " ".join(_strings([attributes.get("first_name")])) + " " + " ".join(_strings([attributes.get("last_name")]))
    return names | _strings([full.strip()])


def _strings(values: Iterable[object]) -> set[str]:
    return {value for value in values if isinstance(value, str) and value}


def _find_by_key(conn: Connection, store_id: int, key: Key) -> int | None:
    mine = PersonKey.store_id == store_id, PersonKey.kind == key[0], PersonKey.value == key[1]
    return conn.execute(select(PersonKey.person_id).where(*mine)).scalar()


def _find_row(conn: Connection, store_id: int, person_id: int) -> int | None:
    return conn.execute(select(Person.id).where(Person.id == person_id, Person.store_id == store_id)).scalar()
