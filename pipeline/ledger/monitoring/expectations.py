"""By when each store's next hooks should be here, as last learned, and whose turn it is to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select

from pipeline.ledger.schema.monitoring import Expectation, HourlyActivity


@dataclass(frozen=True, slots=True)
class ExpectedHook:
    """µs. `due_at` None: too little is known."""

    last_at: int
    due_at: int | None

    def is_overdue(self, now: int) -> bool:
        """Whether it should have come by now."""
        return self.due_at is not None and self.due_at <= now


def list_stores_to_check(conn: Connection, now: int, learned_before: int) -> list[int]:
    """Stores of which something is late, or of which was learned too long ago, or never.

    A hook that came meanwhile only puts off what is expected, so nobody has to look in between.
    """
    late = func.min(Expectation.due_at) <= now
    old = func.min(Expectation.learned_at) < learned_before
    due = select(Expectation.store_id).group_by(Expectation.store_id).having(or_(late, old))
    known = select(Expectation.store_id)
    new = select(HourlyActivity.store_id).where(HourlyActivity.store_id.not_in(known)).distinct()
    return sorted({*conn.execute(due).scalars(), *conn.execute(new).scalars()})


def replace_expectations(conn: Connection, store_id: int, expected: Mapping[str, ExpectedHook], now: int) -> None:
    """Event (empty: any) -> what is expected now."""
    conn.execute(delete(Expectation).where(Expectation.store_id == store_id))
    rows = [
        {"store_id": store_id, "event": event, "last_at": one.last_at, "due_at": one.due_at, "learned_at": now}
        for event, one in expected.items()
    ]
    if rows:
        conn.execute(insert(Expectation), rows)


def load_expectations(conn: Connection, store_ids: Collection[int]) -> dict[int, dict[str, ExpectedHook]]:
    """Store -> event (empty: any) -> what was expected when last learned."""
    columns = (Expectation.store_id, Expectation.event, Expectation.last_at, Expectation.due_at)
    query = select(*columns).where(Expectation.store_id.in_(store_ids)).order_by(Expectation.event)
    found: dict[int, dict[str, ExpectedHook]] = {store_id: {} for store_id in store_ids}
    for store_id, event, last_at, due_at in conn.execute(query):
        found[store_id][event] = ExpectedHook(last_at, due_at)
    return found
