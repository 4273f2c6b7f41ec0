"""What became no event: orders whose hook never came, and hooks that could not be read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from pipeline.events.fields import parse_time_us
from pipeline.infra.compression import TooLarge, decompress
from pipeline.ledger.observation import BEFORE, WAITING
from pipeline.ledger.observed_events import load_observed_states
from pipeline.ledger.schema.core import Body, DeadHook, Event, Fact
from pipeline.ledger.schema.retention import PastEvent
from pipeline.ledger.store_apis import find_store_api
from pipeline.people.causes import Cause, Verdict
from pipeline.people.verdict import MissingCase, judge_missing
from pipeline.redaction.identity import Identity
from pipeline.regulations.mentions import names
from pipeline.regulations.people import FoundPerson

GRACE_US = 900_000_000  # a hook that another hook has overtaken may still come
MAX_SEARCHED = 200  # dead hooks, test orders, unknown events of the store whose bytes are searched: the newest
MAX_SEARCHED_BYTES = 10_000_000  # of these, unpacked: a page must not take longer for large ones
_MAX_BODY_BYTES = 2_000_000  # a longer one is not searched
_ROWS_AT_A_TIME = 20
MAX_SUBJECTS = 500  # orders, subscriptions and boxes of one person
MAX_SHOWN = 10  # of what is missing, the newest
_MIN_DIGITS = 4  # of a number that is looked for in bytes: a shorter one is in nearly all of them
_STREAMED = {"yield_per": _ROWS_AT_A_TIME}  # not all bytes at once
_CONCERN_NO_ONE = ("test", "unknown_event")  # outcomes
_LISTED = "listed:"  # begins the fact's field that a reading of the API leaves


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of fact, the event that reports it, and the fields that say when it happened and what it must be."""

    event: str
    dated: str
    fields: Mapping[str, Any]


_KINDS: dict[str, _Kind] = {
    "order": _Kind("order_new", "placed_at", {"is_renewal": (None, False)}),
    "subscription": _Kind("subscription_new", "start_date", {}),
    "shipment": _Kind("shipment_shipped", "shipped_at", {"status": ("shipped",)}),
}


def find_missing(conn: Connection, person: FoundPerson, connected_at: int, now: int) -> list[Verdict]:
    """Orders, subscriptions and boxes of the person that Cratejoy shows, and that no hook has reported.

    `connected_at` (µs): since when the store's hooks arrive.
    """
    wanted = _load_subjects(conn, person)
    known = _find_known(conn, person.store.id, wanted)
    keys = {f"{_KINDS[kind].event}:{number}": (kind, number) for kind, number in wanted if (kind, number) not in known}
    states = load_observed_states(conn, person.store.id, list(keys)) if keys else {}
    has_api = find_store_api(conn, person.store.id) is not None
    cases: list[tuple[int, MissingCase]] = []
    for key, subject in keys.items():
        fields = wanted[subject]
        at = _read_time(fields, _KINDS[subject[0]].dated)
        state = states.get(key, (None, 0))[0]
        learned_at = min((pair[0] for pair in fields.values()), default=0)
        if state == BEFORE or (at is not None and at < connected_at):
            cause: Cause = "before_connection"
        elif state == WAITING or (has_api and learned_at > now - GRACE_US):
            cause = "hook_may_come"
        else:
            cause = "never_arrived"
        is_listed = any(name.startswith(_LISTED) for name in fields)
        case = MissingCase(subject=f"{subject[0]} {subject[1]}", cause=cause, at=at, is_from_api=is_listed)
        cases.append((at or 0, case))
    newest = sorted(cases, key=lambda pair: pair[0], reverse=True)[:MAX_SHOWN]
    return [judge_missing(case) for _, case in newest]


@dataclass(frozen=True, slots=True)
class UnreadableHook:
    """A hook that names a person and is a dead hook: its verdict, and the id by which it is shown and replayed."""

    dead_hook_id: int
    verdict: Verdict


def find_unreadable(conn: Connection, person: FoundPerson) -> list[UnreadableHook]:
    """The newest hooks that could not be read, were not replayed, and name the person."""
    columns = (DeadHook.id, DeadHook.event, DeadHook.reason, DeadHook.received_at, DeadHook.raw, DeadHook.query)
    query = select(*columns).where(DeadHook.store == person.store.name, DeadHook.replayed_at.is_(None))
    found = []
    search = _Search(person.identity)
    for row in conn.execute(query.order_by(DeadHook.id.desc()).limit(MAX_SEARCHED), execution_options=_STREAMED):
        if search.is_over:
            break
        if search.names(row.event, row.raw, row.query):
            case = MissingCase(
                subject=row.event.replace("_", " "), cause="unreadable", at=row.received_at, reason=row.reason
            )
            found.append(UnreadableHook(row.id, judge_missing(case)))
    return found[:MAX_SHOWN]


def find_unlinked(conn: Connection, person: FoundPerson) -> list[int]:
    """Ids of the newest events that concern no one by their kind and name the person: test orders, unknown events."""
    found: list[int] = []
    search = _Search(person.identity)
    for outcome in _CONCERN_NO_ONE:
        mine = Event.store_id == person.store.id, Event.outcome == outcome
        query = select(Event.id, Event.name, Body.raw).join(Body, Body.event_id == Event.id).where(*mine)
        rows = conn.execute(query.order_by(Event.id.desc()).limit(MAX_SEARCHED), execution_options=_STREAMED)
        named = (row.id for row in rows if not search.is_over and search.names(row.name, row.raw))
        found += islice(named, MAX_SHOWN)
    return sorted(found, reverse=True)


@dataclass(slots=True)
class _Search:
    """Looks for a person in bytes, until so many were read. `left`: how many more may be."""

    who: Identity
    left: int = MAX_SEARCHED_BYTES

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def names(self, event: str, packed: bytes, query: str | None = None) -> bool:
        """Whether the bytes have a number of the person's, or name them in any way that an erasure would find."""
        try:
            raw = decompress(packed, _MAX_BODY_BYTES)
        except (zlib.error, TooLarge):
            self.left -= _MAX_BODY_BYTES
            return False
        self.left -= len(raw)
        numbers = {*self.who.customer_ids, *(number for _, number in self.who.bought)}
        wanted = {text for number in numbers if len(text := str(number)) >= _MIN_DIGITS}
        text = raw.decode("utf-8", "replace") + (query or "")
        return not wanted.isdisjoint(re.findall(r"\d+", text)) or names(event, (raw, query), self.who)


def _load_subjects(conn: Connection, person: FoundPerson) -> dict[tuple[str, int], dict[str, Any]]:
    """(kind, number) -> {field: [as_of, value]} of what has an event of its own."""
    query = select(Fact.kind, Fact.subject, Fact.data).where(Fact.person_id == person.person_id, Fact.kind.in_(_KINDS))
    found = {}
    for row in conn.execute(query.limit(MAX_SUBJECTS)):
        wanted = _KINDS[row.kind].fields
        values = (row.data.get(name, (0, None))[1] in allowed for name, allowed in wanted.items())
        if row.subject.isdecimal() and all(values):
            found[row.kind, int(row.subject)] = dict(row.data)
    return found


def _find_known(conn: Connection, store_id: int, wanted: Mapping[tuple[str, int], Any]) -> set[tuple[str, int]]:
    """Those of which an event is recorded, or was until it was deleted for its age."""
    known: set[tuple[str, int]] = set()
    for kind, of_kind in _KINDS.items():
        numbers = [number for name, number in wanted if name == kind]
        if not numbers:
            continue
        mine = Event.store_id == store_id, Event.subject == kind, Event.subject_id.in_(numbers)
        rows = conn.execute(select(Event.subject_id).where(*mine, Event.name == of_kind.event))
        known |= {(kind, number) for number in rows.scalars() if number is not None}
        keys = {f"{of_kind.event}:{number}": number for number in numbers}
        past = select(PastEvent.happening).where(PastEvent.store_id == store_id, PastEvent.happening.in_(list(keys)))
        known |= {(kind, keys[key]) for key in conn.execute(past).scalars()}
    return known


def _read_time(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name, (0, None))[1]
    return parse_time_us(value) if isinstance(value, str) else None
