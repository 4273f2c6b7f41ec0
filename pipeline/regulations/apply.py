"""Applies all regulations again: after a restore from a backup that still has the people they erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, func, select

from pipeline.core.hooks import RawBody
from pipeline.delivery.forgetting import enqueue_forget
from pipeline.events.catalogue import get_event_row
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.inbox_fence import lock_inbox
from pipeline.ledger.regulations import SUPPRESS, Hasher, RegulationRow, list_regulations, load_hasher, mark_applied
from pipeline.ledger.schema.core import DeadHook, Event, EventPerson, Person, PersonKey
from pipeline.ledger.schema.regulations import Regulation, RegulationIdentifier
from pipeline.ledger.stores import StoreRow, list_stores
from pipeline.redaction.identity import Key, build_identity, list_customer_keys, list_recipient_keys
from pipeline.redaction.raw_body import list_raw_keys
from pipeline.regulations.dead_hooks import empty_dead_hooks
from pipeline.regulations.erase import Eraser, build_forget_request
from pipeline.regulations.events import redact_events
from pipeline.regulations.mentions import read_dead_hooks
from pipeline.regulations.people import FoundPerson, load_person

_SLICE = 1_000  # rows


@dataclass(frozen=True, slots=True)
class AppliedRegulations:
    """What applying all regulations found. `emptied`: counts of rows by kind."""

    regulations: int
    people: int
    emptied: dict[str, int]


@dataclass(frozen=True, slots=True)
class _StoreRegulations:
    """The regulations of one store, by the hashes of what leads to their people."""

    store: StoreRow
    hasher: Hasher
    rows: Mapping[int, RegulationRow]
    by_hash: Mapping[tuple[str, str], Sequence[int]] = field(repr=False)  # (kind, digest) -> ids

    def find(self, keys: Iterable[Key], created_at: int) -> RegulationRow | None:
        """The newest regulation about the person of these keys that covers what was stored at `created_at` (µs).

        One that does not suppress covers only what is older: the person may have come back since.
        """
        ids = {
            regulation_id
            for kind, value in keys
            for digest in self.hasher.hash_all(self.store.name, kind, value)
            for regulation_id in self.by_hash.get((kind, digest), ())
        }
        rows = (self.rows[regulation_id] for regulation_id in ids)
        covering = [row for row in rows if row.kind == SUPPRESS or created_at < row.created_at]
        return max(covering, key=lambda row: row.id, default=None)


def count_unapplied(conn: Connection) -> int:
    """How many regulations were imported and not applied since."""
    return conn.execute(select(func.count()).where(Regulation.applied_at.is_(None))).scalar_one()


def apply_regulations(eraser: Eraser) -> AppliedRegulations:
    """Erase again the people whom the ledger has although a regulation erased them.

    Each person is one transaction; repeating it is safe.

    Raises Misconfigured if no secret key opens the key of the hashes.
    """
    total, people, emptied = 0, 0, Counter[str]()
    with reading(eraser.engine) as conn:
        stores = list_stores(conn)
    for store in stores:
        with reading(eraser.engine) as conn:
            known = _load(conn, eraser, store)
            found = _find_people(conn, known) if known.rows else {}
        total += len(known.rows)
        for person_id, row in sorted(found.items()):
            people += 1
            with writing(eraser.engine) as conn:
                lock_inbox(conn)
                person = load_person(conn, store, person_id)
                emptied.update(eraser.erase_again(conn, person, row.id))
                if row.at_destinations:  # what was sent since the restore may have brought the person back there
                    request = build_forget_request(row.id, person_id, person.identity, suppress=row.kind == SUPPRESS)
                    enqueue_forget(conn, store.id, request, eraser.now())
        if known.rows:
            emptied.update(_erase_the_rest(eraser, known))
    return AppliedRegulations(total, people, {name: count for name, count in emptied.items() if count})


def _load(conn: Connection, eraser: Eraser, store: StoreRow) -> _StoreRegulations:
    rows = {row.id: row for row in list_regulations(conn, store.id)}
    by_hash: dict[tuple[str, str], list[int]] = {}
    columns = (RegulationIdentifier.kind, RegulationIdentifier.digest, RegulationIdentifier.regulation_id)
    for kind, digest, regulation_id in conn.execute(select(*columns).where(RegulationIdentifier.store_id == store.id)):
        by_hash.setdefault((kind, digest), []).append(regulation_id)
    return _StoreRegulations(store, load_hasher(conn, eraser.secret_keys), rows, by_hash)


def _find_people(conn: Connection, known: _StoreRegulations) -> dict[int, RegulationRow]:
    """The people of the store whom a regulation covers. Their own keys only: an order may have had another owner."""
    columns = (PersonKey.person_id, PersonKey.kind, PersonKey.value, Person.created_at)
    mine = PersonKey.store_id == known.store.id, PersonKey.kind.in_(("email", "customer"))
    query = select(*columns).join(Person, Person.id == PersonKey.person_id).where(*mine)
    found: dict[int, RegulationRow] = {}
    for person_id, kind, value, created_at in conn.execute(query.execution_options(yield_per=_SLICE)):
        row = known.find([(kind, value)], created_at)
        if row is not None:
            found[person_id] = row
    return found


def _erase_the_rest(eraser: Eraser, known: _StoreRegulations) -> Counter[str]:
    """Dead hooks and events that no person's row leads to, such as test orders."""
    emptied: Counter[str] = Counter()
    with writing(eraser.engine) as conn:
        lock_inbox(conn)
        for dead_id, keys, died_at in list(_read_dead_hook_keys(conn, known.store)):
            if known.find(keys, died_at) is not None:
                emptied.update(empty_dead_hooks(conn, _build_person(known.store, keys), [dead_id]))
        for event_id, keys, received_at in list(_read_orphaned_keys(conn, known.store)):
            if known.find(keys, received_at) is not None:
                emptied.update(redact_events(conn, _build_person(known.store, keys), [event_id]))
        for row in known.rows.values():
            mark_applied(conn, row.id, {}, eraser.now())
    return emptied


def _build_person(store: StoreRow, keys: Iterable[Key]) -> FoundPerson:
    return FoundPerson(store, None, build_identity(keys))


def _read_dead_hook_keys(conn: Connection, store: StoreRow) -> Iterator[tuple[int, list[Key], int]]:
    for dead_id, event, raw in read_dead_hooks(conn, store):
        keys = _list_raw_keys(event, raw)
        if keys:
            died_at = conn.execute(select(DeadHook.died_at).where(DeadHook.id == dead_id)).scalar_one()
            yield dead_id, keys, died_at


def _list_raw_keys(event: str, raw: RawBody) -> list[Key]:
    return list_raw_keys(get_event_row(event), raw)


def _read_orphaned_keys(conn: Connection, store: StoreRow) -> Iterator[tuple[int, list[Key], int]]:
    """(event id, keys, time) of events that are connected with no person and show one."""
    linked = exists().where(EventPerson.event_id == Event.id)
    columns = (Event.id, Event.name, Event.data, Event.received_at)
    query = select(*columns).where(Event.store_id == store.id, ~linked).order_by(Event.id)
    for event_id, name, data, received_at in conn.execute(query.execution_options(yield_per=_SLICE)):
        row = get_event_row(name)
        keys = [*list_customer_keys(row, data), *list_recipient_keys(row, data)]
        if keys:
            yield event_id, keys, received_at
