"""How far a store's backfill has come, for the command line, the pages and the metrics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection

from pipeline.backfill.phases import CUSTOMERS, PAGE_SIZE, get_collections
from pipeline.ledger.backfills import ALL, DONE, SHORT, BackfillRow, find_last_backfill, load_last_backfills

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """The store's newest backfill. What is not known yet, or no longer applies, is None."""

    backfill: int
    kind: str  # all, incremental
    state: str  # running, paused, cancelled, done, short, failed
    phase: str  # counting, subscriptions, orders, customers, others
    customers: int  # read so far
    customers_total: int | None
    pages: int
    pages_total: int | None
    pages_per_second: float  # since the start, without pauses
    seconds: float  # since the start, without pauses
    seconds_left: float | None
    throttled_seconds: float  # of `seconds`: waited because the store had answered 429
    waited_seconds: float  # of `seconds`: waited for our own request budget
    started_at: int  # µs, as are the other times
    ended_at: int | None
    next_step_at: int | None
    error: str | None


def load_progress(conn: Connection, store_id: int, now: int) -> Progress | None:
    """The progress of the store's newest backfill; None if there was none."""
    row = find_last_backfill(conn, store_id)
    return None if row is None else build_progress(row, now)


def load_whole_readings(conn: Connection, store_ids: Collection[int], now: int) -> dict[int, Progress]:
    """Store id -> the newest reading of all customers that came to its end; absent: there was none."""
    rows = load_last_backfills(conn, store_ids, kind=[ALL], state=[DONE, SHORT])
    return {store_id: build_progress(row, now) for store_id, row in rows.items()}


def load_shown_readings(conn: Connection, store_ids: Collection[int], now: int) -> dict[int, Progress]:
    """Store id -> the reading of all customers whose figures count: one under way, else the last that came to its end.

    A store of which none is known is absent.
    """
    newest = load_last_backfills(conn, store_ids)
    is_whole = {store_id: row for store_id, row in newest.items() if row.is_open and row.kind == ALL}
    under_way = {store_id: build_progress(row, now) for store_id, row in is_whole.items()}
    return load_whole_readings(conn, store_ids, now) | under_way


def build_progress(row: BackfillRow, now: int) -> Progress:
    """The progress that a row shows at this time."""
    seconds = max(0, (row.ended_at or row.paused_at or now) - row.started_at - row.paused_us) / SECOND_US
    rate = row.pages / seconds if seconds else 0.0
    left = _estimate_pages_left(row)
    return Progress(
        backfill=row.id,
        kind=row.kind,
        state=row.state,
        phase=row.phase,
        customers=row.done.get(CUSTOMERS, 0),
        customers_total=row.totals.get(CUSTOMERS),
        pages=row.pages,
        pages_total=None if left is None else row.pages + left,
        pages_per_second=round(rate, 3),
        seconds=round(seconds, 1),
        seconds_left=round(left / rate, 1) if row.is_open and left is not None and rate else None,
        throttled_seconds=round(row.throttled_us / SECOND_US, 1),
        waited_seconds=round(row.waited_us / SECOND_US, 1),
        started_at=row.started_at,
        ended_at=row.ended_at,
        next_step_at=row.next_step_at if row.is_open else None,
        error=row.error,
    )


def _estimate_pages_left(row: BackfillRow) -> int | None:
    """Pages still to be read, if they hold as many objects as those before. None until the collections are counted."""
    if not row.is_open:
        return 0
    collections = get_collections(row.kind)
    if not all(name in row.totals for name in collections):
        return None
    read = sum(row.done.get(name, 0) for name in collections)
    objects_per_page = read / row.pages if read and row.pages else PAGE_SIZE
    return sum(ceil(max(0, row.totals[name] - row.done.get(name, 0)) / objects_per_page) for name in collections)
