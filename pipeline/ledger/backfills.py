"""The rows of backfills: begun, looked at, paused, ended. Every function works inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, literal, select, update

from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.sql.tables import insert_into

ALL, INCREMENTAL = "all", "incremental"
RUNNING, PAUSED, CANCELLED, DONE, FAILED = "running", "paused", "cancelled", "done", "failed"
SHORT = "short"  # read to the end, and the store has shown less than it counts
# Written into the SQL, as the partial indexes know them.
_IS_RUNNING = Backfill.state == literal(RUNNING, literal_execute=True)
_IS_OPEN = Backfill.state.in_([literal(RUNNING, literal_execute=True), literal(PAUSED, literal_execute=True)])


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
        """Whether it goes on, now or when somebody resumes it."""
        return self.state in (RUNNING, PAUSED)


def insert_backfill(
    conn: Connection, store_id: int, kind: str, phase: str, now: int, since: int | None = None
) -> int | None:
    """Begin one and return its id; None if the store has one that is running or paused."""
    fresh = {"store_id": store_id, "kind": kind, "phase": phase, "done": {}, "totals": {}, "changes_since": since}
    made = insert_into(conn, Backfill).values(**fresh, started_at=now, next_step_at=now)
    once = made.on_conflict_do_nothing(index_elements=[Backfill.store_id], index_where=_IS_OPEN)
    return conn.execute(once.returning(Backfill.id)).scalar()


def get_backfill(conn: Connection, backfill_id: int) -> BackfillRow | None:
    """The backfill with this id."""
    row = conn.execute(select(Backfill.__table__).where(Backfill.id == backfill_id)).one_or_none()
    return None if row is None else BackfillRow(**row._asdict())


def find_last_backfill(conn: Connection, store_id: int, **which: str) -> BackfillRow | None:
    """The store's newest backfill; `which` may name its `kind` or its `state`."""
    query = select(Backfill.__table__).filter_by(store_id=store_id).order_by(Backfill.id.desc()).limit(1)
    row = conn.execute(query.where(*(getattr(Backfill, name) == value for name, value in which.items()))).one_or_none()
    return None if row is None else BackfillRow(**row._asdict())


def list_due_steps(conn: Connection, now: int) -> list[tuple[int, int]]:
    """(id, when its step was due) of every running backfill whose next step is due, the longest overdue first."""
    due = select(Backfill.id, Backfill.next_step_at).where(_IS_RUNNING, Backfill.next_step_at <= now)
    return [(row.id, row.next_step_at) for row in conn.execute(due.order_by(Backfill.next_step_at))]


def lock_backfill(conn: Connection, row: BackfillRow) -> bool:
    """Let nobody else change a running backfill until the transaction ends; False if somebody has since it was read."""
    mine = select(Backfill.id).where(Backfill.id == row.id, Backfill.state == RUNNING, Backfill.steps == row.steps)
    return conn.execute(mine.with_for_update()).scalar() is not None


def advance_backfill(conn: Connection, row: BackfillRow, **changed: Any) -> bool:
    """Change a running backfill that nobody has changed since it was read; False if somebody has."""
    mine = update(Backfill).where(Backfill.id == row.id, Backfill.state == RUNNING, Backfill.steps == row.steps)
    return conn.execute(mine.values(steps=row.steps + 1, **changed)).rowcount == 1


def pause_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """No further step from now on; what was read stays. False if none is running."""
    changed = {"state": PAUSED, "paused_at": now, "steps": Backfill.steps + 1}
    return conn.execute(_update_in_states(store_id, RUNNING).values(changed)).rowcount == 1


def resume_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """Go on where it was paused. False if none is."""
    paused_us = Backfill.paused_us + (now - Backfill.paused_at)
    changed = {"state": RUNNING, "paused_at": None, "paused_us": paused_us, "next_step_at": now, "attempts": 0}
    return (
        conn.execute(_update_in_states(store_id, PAUSED).values(changed | {"steps": Backfill.steps + 1})).rowcount == 1
    )


def cancel_backfill(conn: Connection, store_id: int, now: int) -> bool:
    """End it here. The profiles that were sent stay. False if none is running or paused."""
    changed = {"state": CANCELLED, "ended_at": now, "steps": Backfill.steps + 1}
    return conn.execute(_update_in_states(store_id, RUNNING, PAUSED).values(changed)).rowcount == 1


def make_backfill_due(conn: Connection, store_id: int, now: int) -> None:
    """Take the next step now: what it waits for may be over."""
    conn.execute(_update_in_states(store_id, RUNNING).values(next_step_at=now, attempts=0, steps=Backfill.steps + 1))


def _update_in_states(store_id: int, *states: str) -> Any:
    return update(Backfill).where(Backfill.store_id == store_id, Backfill.state.in_(states))
