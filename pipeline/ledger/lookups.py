"""Look-ups: found when due, and settled. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select, update

from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Event, EventSubject, Gift
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.sql.tables import chunks, insert_into, select_by_keys
from pipeline.ledger.store_apis import ACTIVE

WAITING = "waiting"
Subject = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LookupRow:
    """A look-up as the ledger has it; the table says what its columns mean."""

    store_id: int
    kind: str
    subject_id: int
    about: int | None
    is_live: bool
    state: str
    trail: dict[str, Any]
    attempts: int
    created_at: int
    next_attempt_at: int
    asked_at: int | None
    reason: str | None


# A literal in the SQL, as in the condition of the partial index.
_IS_WAITING = Lookup.state == literal(WAITING, literal_execute=True)


def list_due_stores(conn: Connection, now: int) -> list[int]:
    """The stores with a look-up due now. Stores with refused keys are left out: the audit of the hooks tries those."""
    query = select(Lookup.store_id).where(_is_due(now)).distinct().order_by(Lookup.store_id)
    return list(conn.execute(query).scalars())


def find_due_lookup(conn: Connection, store_id: int, now: int) -> LookupRow | None:
    """The store's next look-up: those of hooks first, then the longest due."""
    query = _select().where(_is_due(now), Lookup.store_id == store_id)
    order = Lookup.is_live.desc(), Lookup.next_attempt_at, Lookup.kind, Lookup.subject_id
    row = conn.execute(query.order_by(*order).limit(1)).one_or_none()
    return None if row is None else LookupRow(**row._asdict())


def list_same_instance(conn: Connection, row: LookupRow, limit: int) -> list[LookupRow]:
    """Further waiting look-ups of the same kind about the same product instance: one answer is for all of them."""
    same = _select().where(_IS_WAITING, Lookup.store_id == row.store_id, Lookup.kind == row.kind)
    others = same.where(Lookup.about == row.about, Lookup.subject_id != row.subject_id)
    return [LookupRow(**found._asdict()) for found in conn.execute(others.order_by(Lookup.subject_id).limit(limit))]


def update_lookup(conn: Connection, row: LookupRow, **changed: Any) -> bool:
    """Change a waiting look-up; False, and no change, if it is not as it was read."""
    statement = update(Lookup).where(*_is_row(row), _IS_WAITING, Lookup.about.is_not_distinct_from(row.about))
    return conn.execute(statement.values(changed)).rowcount == 1


def postpone_lookups(conn: Connection, store_id: int, until: int) -> None:
    """Ask nothing of this store before `until`."""
    sooner = _IS_WAITING, Lookup.store_id == store_id, Lookup.next_attempt_at < until
    conn.execute(update(Lookup).where(*sooner).values(next_attempt_at=until))


def settle_lookups(conn: Connection, store_id: int, keys: Iterable[tuple[str, int]], state: str, now: int) -> None:
    """End the look-ups with these keys (kind, id), new ones too: what was asked on the way is not asked again."""
    table = Lookup.__table__
    for kind, subject_id in keys:
        row = {"store_id": store_id, "kind": kind, "subject_id": subject_id, "is_live": True, "trail": {}}
        row |= {"attempts": 0, "created_at": now, "next_attempt_at": now, "asked_at": now, "state": state}
        ended = {"state": state, "asked_at": now, "reason": None}
        statement = insert_into(conn, Lookup).values(row)
        conn.execute(statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=ended))


def has_gift(conn: Connection, store_id: int, subjects: Iterable[Subject]) -> bool:
    """Whether the recipient of one of these is known."""
    gift = Gift.__table__.c
    by = gift.store_id, gift.kind, gift.subject_id
    return bool(select_by_keys(conn, by, by, [(store_id, *subject) for subject in subjects]))


def load_event_notes(conn: Connection, store_id: int, subjects: Iterable[Subject]) -> dict[int, list[dict[str, Any]]]:
    """The notes of the events that are about one of these."""
    link = EventSubject.__table__.c
    by = link.store_id, link.kind, link.subject_id
    rows = select_by_keys(conn, (link.event_id,), by, [(store_id, *subject) for subject in subjects])
    notes: dict[int, list[dict[str, Any]]] = {}
    for part in chunks({row.event_id for row in rows}):
        query = select(Event.id, Event.notes).where(Event.id.in_(part))
        notes.update((row.id, row.notes) for row in conn.execute(query))
    return notes


def count_waiting_lookups(conn: Connection, now: int) -> tuple[int, int]:
    """How many look-ups wait, and how many of those could be asked now."""
    waiting = conn.execute(select(func.count()).select_from(Lookup).where(_IS_WAITING)).scalar_one()
    due = conn.execute(select(func.count()).select_from(Lookup).where(_is_due(now))).scalar_one()
    return waiting, due


def _is_due(now: int) -> ColumnElement[bool]:
    """Whether it may be asked now. What a backfill lacks is asked once the store has no backfill that is open."""
    has_keys = exists().where(StoreAPI.store_id == Lookup.store_id, StoreAPI.status == ACTIVE)
    has_backfill = exists().where(Backfill.store_id == Lookup.store_id, Backfill.state.in_(("running", "paused")))
    return and_(_IS_WAITING, Lookup.next_attempt_at <= now, has_keys, or_(Lookup.is_live, ~has_backfill))


def _select() -> Select[Any]:
    return select(*(Lookup.__table__.c[name] for name in LookupRow.__slots__))


def _is_row(row: LookupRow) -> tuple[ColumnElement[bool], ...]:
    return Lookup.store_id == row.store_id, Lookup.kind == row.kind, Lookup.subject_id == row.subject_id
