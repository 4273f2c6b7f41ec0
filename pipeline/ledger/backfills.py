"""Backfills: created, read, advanced, paused, ended. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, select, update

from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Store
from pipeline.ledger.sql.tables import insert_into

ALL, INCREMENTAL = "all", "incremental"
RUNNING, PAUSED, CANCELLED, DONE, FAILED = "running", "paused", "cancelled", "done", "failed"
SHORT = "short"  # read to the end, but the store's API has shown fewer objects than it counts


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """A backfill as the ledger has it; the table says what its columns mean."""

    id: int
    store_id: int
    kind: str
    state: str
    phase: str
    cursor: str | None
    steps: int
    phase_pages: int
    barren: int
    pages: int
    done: dict[str, int]
    totals: dict[str, int]
    changes_since: int | None
    started_at: int
    ended_at: int | None
    paused_at: int | None
    paused_us: int
    throttled_us: int
    waited_us: int
    attempts: int
    next_step_at: int
    tally: dict[str, Any] | None
    error: str | None

    @property
    def is_open(self) -> bool:
        """Whether it is running or paused."""
        return self.state in (RUNNING, PAUSED)


# Literals in the SQL, as in the conditions of the partial indexes.
_IS_RUNNING = Backfill.state == literal(RUNNING, literal_execute=True)
_IS_OPEN = Backfill.state.in_([literal(RUNNING, literal_execute=True), literal(PAUSED, literal_execute=True)])


def insert_backfill(
    conn: Connection, store_id: int, kind: str, phase: str, now: int, since: int | None = None
) -> int | None:
    """Start a backfill and return its id; None if the store has one that is running or paused."""
    values = {"store_id": store_id, "kind": kind, "phase": phase, "done": {}, "totals": {}, "changes_since": since}
    statement = insert_into(conn, Backfill).values(**values, started_at=now, next_step_at=now)
    statement = statement.on_conflict_do_nothing(index_elements=[Backfill.store_id], index_where=_IS_OPEN)
    return conn.execute(statement.returning(Backfill.id)).scalar()


def get_backfill(conn: Connection, backfill_id: int) -> BackfillRow | None:
    """The backfill with this id."""
    row = conn.execute(select(Backfill.__table__).where(Backfill.id == backfill_id)).one_or_none()
    return None if row is None else BackfillRow(**row._asdict())


def find_last_backfill(conn: Connection, store_id: int, **which: str) -> BackfillRow | None:
    """The store's newest backfill; `which` may name its `kind` or its `state`."""
    query = select(Backfill.__table__).filter_by(store_id=store_id).order_by(Backfill.id.desc()).limit(1)
    row = conn.execute(query.where(*(getattr(Backfill, name) == value for name, value in which.items()))).one_or_none()
    return None if row is None else BackfillRow(**row._asdict())


def load_last_backfills(
    conn: Connection, store_ids: Collection[int], **which: Collection[str]
) -> dict[int, BackfillRow]:
    """Store id -> its newest backfill; `which` may name kinds or states, of which it has one."""
    newest = select(func.max(Backfill.id)).where(Backfill.store_id.in_(store_ids)).group_by(Backfill.store_id)
    newest = newest.where(*(getattr(Backfill, name).in_(values) for name, values in which.items()))
    rows = conn.execute(select(Backfill.__table__).where(Backfill.id.in_(newest)))
    return {row.store_id: BackfillRow(**row._asdict()) for row in rows}


def load_newest_backfills(conn: Connection) -> dict[str, BackfillRow]:
    """Store name -> its newest backfill; without stores that never had a backfill."""
    newest = select(func.max(Backfill.id)).group_by(Backfill.store_id)
    query = select(Store.name.label("store"), *Backfill.__table__.columns).join(Store, Store.id == Backfill.store_id)
    found = [row._asdict() for row in conn.execute(query.where(Backfill.id.in_(newest)).order_by(Store.name))]
    return {row.pop("store"): BackfillRow(**row) for row in found}


def list_due_steps(conn: Connection, now: int) -> list[tuple[int, int]]:
    """(id, when its step was due) of every running backfill whose next step is due, the longest overdue first."""
    due = select(Backfill.id, Backfill.next_step_at).where(_IS_RUNNING, Backfill.next_step_at <= now)
    return [(row.id, row.next_step_at) for row in conn.execute(due.order_by(Backfill.next_step_at))]


def lock_backfill(conn: Connection, row: BackfillRow) -> bool:
    """Lock a running backfill until the transaction ends; False if it has changed since it was read."""
    query = select(Backfill.id).where(Backfill.id == row.id, Backfill.state == RUNNING, Backfill.steps == row.steps)
    return conn.execute(query.with_for_update()).scalar() is not None


def advance_backfill(conn: Connection, row: BackfillRow, **changed: Any) -> bool:
    """Update a running backfill; False, and no update, if it has changed since it was read."""
    statement = update(Backfill).where(Backfill.id == row.id, Backfill.state == RUNNING, Backfill.steps == row.steps)
    return conn.execute(statement.values(steps=row.steps + 1, **changed)).rowcount == 1


def pause_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """Pause the store's running backfill; what it has read is kept. False if none is running."""
    changed = {"state": PAUSED, "paused_at": now, "steps": Backfill.steps + 1}
    return conn.execute(_update_in_states(store_id, RUNNING).values(changed)).rowcount == 1


def resume_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """Resume the store's backfill where it was paused. False if none is paused."""
    paused_us = Backfill.paused_us + (now - Backfill.paused_at)
    changed = {"state": RUNNING, "paused_at": None, "paused_us": paused_us, "next_step_at": now, "attempts": 0}
    return (
        conn.execute(_update_in_states(store_id, PAUSED).values(changed | {"steps": Backfill.steps + 1})).rowcount == 1
    )


def cancel_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """Cancel the store's backfill; profiles that were sent stay. False if none is running or paused."""
    changed = {"state": CANCELLED, "ended_at": now, "steps": Backfill.steps + 1}
    return conn.execute(_update_in_states(store_id, RUNNING, PAUSED).values(changed)).rowcount == 1


def make_backfill_due(conn: Connection, store_id: int, now: int) -> None:
    """Make the next step due now: the cause of its waiting may be over."""
    conn.execute(_update_in_states(store_id, RUNNING).values(next_step_at=now, attempts=0, steps=Backfill.steps + 1))


def _update_in_states(store_id: int, *states: str) -> Any:
    return update(Backfill).where(Backfill.store_id == store_id, Backfill.state.in_(states))
