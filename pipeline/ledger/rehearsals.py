"""Rehearsals that were asked for on a page or saved. Functions work in the caller's transaction; times are µs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, literal, select, update

from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.rehearsals import SavedRehearsal

RehearsalState = Literal["waiting", "running", "done", "failed"]

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
KEPT = 20  # of a store, the newest
_OPEN = SavedRehearsal.state.in_([literal(state, literal_execute=True) for state in (WAITING, RUNNING)])


@dataclass(frozen=True, slots=True)
class RehearsalRow:
    """A saved rehearsal."""

    id: int
    store_id: int
    store: str
    change: str
    days: int
    state: RehearsalState
    asked_at: int
    seen_at: int
    ended_at: int | None
    hooks_done: int
    hooks_total: int
    error: str | None
    report: dict[str, Any] | None
    differences: int | None
    release: str | None
    accepted_at: int | None

    @property
    def is_working(self) -> bool:
        """Whether it will still change by itself."""
        return self.state in (WAITING, RUNNING)


def insert_rehearsal(  # noqa: PLR0913 the columns of a row
    conn: Connection, store_id: int, change: str, days: int, now: int, *, asked_by: int | None = None, is_waiting: bool
) -> int:
    """Insert a rehearsal, and delete the oldest of its store; return its id. `is_waiting`: for a worker."""
    state = WAITING if is_waiting else RUNNING
    values = {"store_id": store_id, "change": change, "days": days, "state": state, "asked_by": asked_by}
    made = insert(SavedRehearsal).values(**values, asked_at=now, seen_at=now, hooks_done=0, hooks_total=0)
    number: int = conn.execute(made.returning(SavedRehearsal.id)).scalar_one()
    of_store = select(SavedRehearsal.id).where(SavedRehearsal.store_id == store_id, ~_OPEN)
    old = conn.execute(of_store.order_by(SavedRehearsal.id.desc()).offset(KEPT)).scalars().all()
    conn.execute(delete(SavedRehearsal).where(SavedRehearsal.id.in_(old)))
    return number


def begin_rehearsal(conn: Connection, number: int, now: int) -> RehearsalRow | None:
    """Note that it runs; None if it does not wait, or if another one runs."""
    others = select(SavedRehearsal.id).where(_OPEN, SavedRehearsal.state == RUNNING).limit(1)
    this = SavedRehearsal.id == number, SavedRehearsal.state == WAITING, ~others.exists()
    if not conn.execute(update(SavedRehearsal).where(*this).values(state=RUNNING, seen_at=now)).rowcount:
        return None
    return find_rehearsal(conn, number)


def note_rehearsal_progress(conn: Connection, number: int, done: int, total: int, now: int) -> None:
    """Note how many hooks it has run."""
    values = {"hooks_done": done, "hooks_total": total, "seen_at": now}
    conn.execute(update(SavedRehearsal).where(SavedRehearsal.id == number).values(**values))


def end_rehearsal(
    conn: Connection, number: int, now: int, *, report: dict[str, Any], differences: int, release: str | None
) -> None:
    """Save what it found. `release`: of the other version, if there was one."""
    values = {"state": DONE, "ended_at": now, "seen_at": now, "report": report, "differences": differences}
    conn.execute(update(SavedRehearsal).where(SavedRehearsal.id == number).values(**values, release=release))


def fail_rehearsal(conn: Connection, number: int, error: str, now: int) -> None:
    """Note that it has ended without a result."""
    values = {"state": FAILED, "ended_at": now, "error": error}
    conn.execute(update(SavedRehearsal).where(SavedRehearsal.id == number, _OPEN).values(**values))


def fail_stuck_rehearsals(conn: Connection, seen_before: int, error: str, now: int) -> int:
    """Note of rehearsals that have made no progress since a time that they have ended; return how many."""
    stuck = _OPEN, SavedRehearsal.state == RUNNING, SavedRehearsal.seen_at < seen_before
    values = {"state": FAILED, "ended_at": now, "error": error}
    return conn.execute(update(SavedRehearsal).where(*stuck).values(**values)).rowcount


def accept_rehearsal(conn: Connection, number: int, now: int) -> bool:
    """Accept what a rehearsal has found; False if it has found nothing yet."""
    this = SavedRehearsal.id == number, SavedRehearsal.state == DONE
    return conn.execute(update(SavedRehearsal).where(*this).values(accepted_at=now)).rowcount > 0


def find_rehearsal(conn: Connection, number: int) -> RehearsalRow | None:
    """The rehearsal with this id."""
    found = conn.execute(_select().where(SavedRehearsal.id == number)).one_or_none()
    return None if found is None else _build(found)


def list_rehearsals(conn: Connection, store_ids: Collection[int], limit: int = 50) -> list[RehearsalRow]:
    """The rehearsals of these stores, the newest first."""
    query = _select().where(SavedRehearsal.store_id.in_(store_ids)).order_by(SavedRehearsal.id.desc()).limit(limit)
    return [_build(row) for row in conn.execute(query)]


def list_open_rehearsals(conn: Connection) -> list[RehearsalRow]:
    """Those that wait or run, the oldest first."""
    return [_build(row) for row in conn.execute(_select().where(_OPEN).order_by(SavedRehearsal.id))]


def list_rehearsed_stores(conn: Connection, release: str) -> set[int]:
    """The stores for which this version was rehearsed, without a difference or with an accepted one."""
    table = SavedRehearsal
    is_fine = (table.differences == 0) | table.accepted_at.is_not(None)
    query = select(table.store_id).where(table.release == release, table.state == DONE, is_fine)
    return set(conn.execute(query).scalars())


def _select() -> Any:
    table = SavedRehearsal
    return select(
        *(table.id, table.store_id, Store.name.label("store"), table.change, table.days, table.state, table.asked_at),
        *(table.seen_at, table.ended_at, table.hooks_done, table.hooks_total, table.error, table.report),
        *(table.differences, table.release, table.accepted_at),
    ).join(Store, Store.id == table.store_id)


def _build(row: Row[Any]) -> RehearsalRow:
    return RehearsalRow(**row._asdict())
