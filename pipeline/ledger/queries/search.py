"""The search: one text, which is recognised as a name, an address, a number or an id; people and events it leads to.

Everything is found by an index, in the stores that are given and in no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, select
from sqlalchemy.orm import aliased

from pipeline.events.search_terms import fold_address, fold_name, fold_tracking
from pipeline.events.ulid import is_ulid
from pipeline.ledger.queries.people import choose_name
from pipeline.ledger.schema.core import (
    DeadHook,
    Delivery,
    Event,
    EventSubject,
    Person,
    PersonKey,
    Store,
    StoreConnection,
)
from pipeline.ledger.schema.search import PersonTerm, TrackingNumber
from pipeline.ledger.search_terms import EMAIL, NAME
from schemas.email import normalize_email

MAX_FOUND = 20  # people, and events; one more is looked for, to say that there are more
MAX_TEXT_CHARS = 200
_MAX_COUNTED = 2000  # of a word, to see which of several words is the rarest
_MIN_PREFIX_CHARS = 3  # of an address
_MIN_TRACKING_CHARS = 6
_LAST = "\U0010ffff"  # sorts after every other character
_KINDS_OF_NUMBERS = ("event", "order", "subscription", "shipment", "customer", "person")
_NUMBER = re.compile(rf"(?:({'|'.join(_KINDS_OF_NUMBERS)})\s*(?:id\s*)?)?[#:]?\s*(\d{{1,18}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person whom a search has found."""

    id: int
    store: str
    name: str | None
    email: str | None
    customer_id: int | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search has found. `recognised`: what the text is, such as "name"; empty if nothing was found.

    `event_ids`, the newest first; `hook_ids` of hooks that could not be read.
    """

    recognised: tuple[str, ...]
    people: tuple[FoundPerson, ...]
    event_ids: tuple[int, ...]
    hook_ids: tuple[int, ...]
    has_more: bool

    @property
    def hits(self) -> int:
        return len(self.people) + len(self.event_ids) + len(self.hook_ids)


class _Hits(NamedTuple):
    people: Sequence[int] = ()
    events: Sequence[int] = ()
    hooks: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Search:
    conn: Connection
    store_ids: Sequence[int]

    def ids(self, query: Select[Any]) -> Sequence[int]:
        return list(self.conn.execute(query.limit(MAX_FOUND + 1)).scalars())


def search(conn: Connection, store_ids: Sequence[int], text: str) -> SearchResult:
    """The people and events of these stores that a text leads to."""
    wanted = "".join(char if char.isprintable() else " " for char in text[:MAX_TEXT_CHARS]).strip()
    meanings = _look_everywhere(_Search(conn, store_ids), wanted) if wanted and store_ids else ()
    found = {meaning: hits for meaning, hits in meanings if any(hits)}
    people = _unique(hits.people for hits in found.values())
    events = sorted(_unique(hits.events for hits in found.values()), reverse=True)
    return SearchResult(
        tuple(found),
        tuple(_load_people(conn, people[:MAX_FOUND])),
        tuple(events[:MAX_FOUND]),
        _unique(hits.hooks for hits in found.values()),
        len(people) > MAX_FOUND or len(events) > MAX_FOUND,
    )


def _unique(lists: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(number for numbers in lists for number in numbers))


def _look_everywhere(look: _Search, text: str) -> Iterator[tuple[str, _Hits]]:
    """Each thing that the text may be, and what it leads to."""
    if "@" in text:
        yield "e-mail address", _Hits(people=_find_by_address(look, text))
        return
    if is_ulid(text.upper()):
        yield from _find_by_ulid(look, text.upper())
    if number := _NUMBER.fullmatch(text):
        kinds = (number[1].lower(),) if number[1] else _KINDS_OF_NUMBERS
        for kind in kinds:
            yield _MEANINGS[kind], _NUMBERS[kind](look, kind, int(number[2]))
    tracking = fold_tracking(text)
    if len(tracking) >= _MIN_TRACKING_CHARS and any(char.isdigit() for char in tracking):
        mine = TrackingNumber.store_id.in_(look.store_ids), _begins(TrackingNumber.value, tracking)
        yield "tracking number", _Hits(events=look.ids(select(TrackingNumber.event_id).where(*mine)))
    if words := fold_name(text):
        yield "name", _Hits(people=_find_by_name(look, words))
    address = fold_address(text)
    if len(address) >= _MIN_PREFIX_CHARS and len(text.split()) == 1:
        yield "beginning of an e-mail address", _Hits(people=look.ids(_select_people(look, EMAIL, address)))


def _find_by_address(look: _Search, text: str) -> Sequence[int]:
    """The address itself, as it is normalised or was stored before; else all that begin with it."""
    wanted = {text.lower(), normalize_email(text) or ""}
    key = PersonKey.store_id.in_(look.store_ids), PersonKey.kind == "email", PersonKey.value.in_(wanted)
    exact = look.ids(select(PersonKey.person_id).where(*key))
    return exact or look.ids(_select_people(look, EMAIL, fold_address(text)))


def _find_by_name(look: _Search, words: Sequence[str]) -> Sequence[int]:
    """People with names that begin with each of the words. The rarest word is looked up, the others are compared."""
    rarest = min(words, key=lambda word: _count_terms(look, word)) if len(words) > 1 else words[0]
    query = _select_people(look, NAME, rarest)
    for word in words:
        if word != rarest:
            other = aliased(PersonTerm)
            theirs = other.person_id == PersonTerm.person_id, other.kind == NAME, _begins(other.value, word)
            query = query.where(exists().where(*theirs))
    return look.ids(query)


def _count_terms(look: _Search, word: str) -> int:
    mine = _is_term(look, NAME, word)
    some = select(literal(1)).select_from(PersonTerm).where(*mine).limit(_MAX_COUNTED).subquery()
    return look.conn.execute(select(func.count()).select_from(some)).scalar_one()


def _select_people(look: _Search, kind: str, prefix: str) -> Select[Any]:
    return select(PersonTerm.person_id).where(*_is_term(look, kind, prefix)).distinct()


def _is_term(look: _Search, kind: str, prefix: str) -> tuple[ColumnElement[bool], ...]:
    return PersonTerm.store_id.in_(look.store_ids), PersonTerm.kind == kind, _begins(PersonTerm.value, prefix)


def _begins(value: Any, prefix: str) -> ColumnElement[bool]:
    """Whether it begins with this: as a range, for which an index of folded texts is good on either database."""
    return and_(value >= prefix, value < prefix + _LAST)


def _find_by_ulid(look: _Search, ulid: str) -> Iterator[tuple[str, _Hits]]:
    """Found in all stores, and then sorted out: so the index of the ids is used, and not that of a store."""
    for meaning, column in (("id at the platform", Event.ulid), ("receipt of a hook", Event.receipt)):
        rows = look.conn.execute(select(Event.id, Event.store_id).where(column == ulid))
        yield meaning, _Hits(events=[row.id for row in rows if row.store_id in look.store_ids])
    connections = select(StoreConnection.id).where(StoreConnection.store_id.in_(look.store_ids))
    message = Delivery.connection_id.in_(connections), Delivery.message_id == ulid, Delivery.event_id.is_not(None)
    yield "id of a message", _Hits(events=look.ids(select(Delivery.event_id).where(*message)))
    names = set(look.conn.execute(select(Store.name).where(Store.id.in_(look.store_ids))).scalars())
    dead = select(DeadHook.id, DeadHook.store).where(DeadHook.receipt == ulid, DeadHook.replayed_at.is_(None))
    hooks = [row.id for row in look.conn.execute(dead) if row.store in names]
    yield "receipt of a hook that could not be read", _Hits(hooks=hooks)


def _find_subject(look: _Search, kind: str, number: int) -> _Hits:
    about = EventSubject.store_id.in_(look.store_ids), EventSubject.kind == kind, EventSubject.subject_id == number
    newest = select(EventSubject.event_id).where(*about).order_by(EventSubject.event_id.desc())
    return _Hits(_find_key(look, kind, number).people, look.ids(newest))


def _find_key(look: _Search, kind: str, number: int) -> _Hits:
    key = PersonKey.store_id.in_(look.store_ids), PersonKey.kind == kind, PersonKey.value == str(number)
    return _Hits(look.ids(select(PersonKey.person_id).where(*key)))


def _find_person(look: _Search, _kind: str, number: int) -> _Hits:
    return _Hits(look.ids(select(Person.id).where(Person.id == number, Person.store_id.in_(look.store_ids))))


def _find_event(look: _Search, _kind: str, number: int) -> _Hits:
    mine = Event.id == number, Event.store_id.in_(look.store_ids)
    return _Hits(events=look.ids(select(Event.id).where(*mine)))


_NUMBERS: dict[str, Callable[[_Search, str, int], _Hits]] = {
    "event": _find_event,
    "order": _find_subject,
    "subscription": _find_subject,
    "shipment": _find_subject,
    "customer": _find_key,
    "person": _find_person,
}
_MEANINGS = {
    "event": "number of an event",
    "order": "number of an order",
    "subscription": "number of a subscription",
    "shipment": "number of a shipment",
    "customer": "customer id at Cratejoy",
    "person": "number of a person",
}


def _load_people(conn: Connection, ids: Sequence[int]) -> list[FoundPerson]:
    columns = Person.id, Store.name.label("store"), Person.attributes, Person.email, Person.customer_id
    query = select(*columns).join(Store, Store.id == Person.store_id).where(Person.id.in_(ids))
    found = {
        row.id: FoundPerson(row.id, row.store, choose_name(row.attributes, None), row.email, row.customer_id)
        for row in conn.execute(query)
    }
    return [found[person_id] for person_id in ids if person_id in found]
