"""When each store's next hooks are expected, as last learned, and which stores are due for a check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select

from pipeline.ledger.schema.monitoring import Expectation, HourlyActivity


@dataclass(frozen=True, slots=True)
class ExpectedHook:
    """When the last hook came and the next one is due (µs). `due_at` None: too few hooks to learn from."""

    last_at: int
    due_at: int | None

    def is_overdue(self, now: int) -> bool:
        """Whether the next hook is late."""
        return self.due_at is not None and self.due_at <= now


def list_stores_to_check(conn: Connection, now: int, learned_before: int) -> list[int]:
    """Stores with an overdue hook, or whose expectations were learned too long ago or never.

    A hook that came meanwhile only postpones the expectation, so no store needs a check in between.
    """
    late = func.min(Expectation.due_at) <= now
    old = func.min(Expectation.learned_at) < learned_before
    due = select(Expectation.store_id).group_by(Expectation.store_id).having(or_(late, old))
    known = select(Expectation.store_id)
    new = select(HourlyActivity.store_id).where(HourlyActivity.store_id.not_in(known)).distinct()
    return sorted({*conn.execute(due).scalars(), *conn.execute(new).scalars()})


def replace_expectations(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> None:
    """Replace a store's expectations. `expected`: event (empty: any) -> when its next hook is expected."""
    conn.execute(delete(Expectation).where(Expectation.store_id == store_id))
    rows = [
        {"store_id": store_id, "event": event, "last_at": hook.last_at, "due_at": hook.due_at, "learned_at": now}
        for event, hook in expected.items()
    ]
    if rows:
        conn.execute(insert(Expectation), rows)


def load_expectations(conn: Connection, store_ids: Collection[int]) -> dict[int, dict[str, ExpectedHook]]:
    """Store id -> event (empty: any) -> when its next hook is expected."""
    columns = (Expectation.store_id, Expectation.event, Expectation.last_at, Expectation.due_at)
    query = select(*columns).where(Expectation.store_id.in_(store_ids)).order_by(Expectation.event)
    found: dict[int, dict[str, ExpectedHook]] = {store_id: {} for store_id in store_ids}
    for store_id, event, last_at, due_at in conn.execute(query):
        found[store_id][event] = ExpectedHook(last_at, due_at)
    return found
