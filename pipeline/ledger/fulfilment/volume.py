"""How many boxes were sent, and how many would go now: what the volume guard compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from pipeline.core.fulfilment import State
from pipeline.ledger.schema.fulfilment import FulfilmentOrder

DAY_US = 86_400_000_000
DAYS = 30


@dataclass(frozen=True, slots=True)
class BatchCount:
    """The boxes of one batch: those that were known in time, those ever sent, and those waiting to go."""

    known: int
    sent: int
    waiting: int


def count_sent_by_day(conn: Connection, store_id: int, now: int) -> list[int]:
    """Boxes of no batch that were sent on each of the last 31 days, in spans of 24 hours; today is the last."""
    since = now - (DAYS + 1) * DAY_US
    sent = FulfilmentOrder.store_id == store_id, FulfilmentOrder.batch_id.is_(None), FulfilmentOrder.sent_at > since
    times = conn.execute(select(FulfilmentOrder.sent_at).where(*sent)).scalars()
    counts = Counter((now - at) // DAY_US for at in times if at is not None)
    return [counts[days] for days in range(DAYS, -1, -1)]


def count_waiting(conn: Connection, store_id: int, now: int, seen_after: int) -> int:
    """Boxes of no batch that would go now, and were first seen after that time."""
    due = FulfilmentOrder.state == State.READY, FulfilmentOrder.next_attempt_at <= now
    new = FulfilmentOrder.batch_id.is_(None), FulfilmentOrder.first_seen_at > seen_after
    query = select(func.count()).where(FulfilmentOrder.store_id == store_id, *due, *new)
    return conn.execute(query).scalar_one()


def count_batches(conn: Connection, store_id: int, accepted_at: int, known_before: int) -> dict[int, BatchCount]:
    """Batch -> its boxes, of batches with boxes that wait to go.

    A box was known in time if it was seen before the report was accepted, or before `known_before` and before it was
    due: what comes after the cut-off is a surprise, however long it then waits.
    """
    seen_at, due_at = FulfilmentOrder.first_seen_at, FulfilmentOrder.due_at
    in_time = (seen_at <= accepted_at) | ((seen_at <= known_before) & (due_at.is_(None) | (seen_at <= due_at)))
    waiting = FulfilmentOrder.store_id == store_id, FulfilmentOrder.state == State.READY
    batches = select(FulfilmentOrder.batch_id).where(*waiting, FulfilmentOrder.batch_id.is_not(None)).distinct()
    ids: Collection[int] = [number for number in conn.execute(batches).scalars() if number is not None]
    columns = (
        FulfilmentOrder.batch_id,
        func.sum(case((in_time, 1), else_=0)),
        func.sum(case((FulfilmentOrder.sent_at.is_not(None), 1), else_=0)),
        func.sum(case((FulfilmentOrder.state == State.READY, 1), else_=0)),
    )
    query = select(*columns).where(FulfilmentOrder.store_id == store_id, FulfilmentOrder.batch_id.in_(ids))
    rows = conn.execute(query.group_by(FulfilmentOrder.batch_id))
    return {int(row[0]): BatchCount(int(row[1]), int(row[2]), int(row[3])) for row in rows}
