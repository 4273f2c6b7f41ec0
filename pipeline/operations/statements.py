"""The statement of a store about one month: what was received and what became of it, and a hash chain over its events.

A month (in UTC) is closed soon after it has ended: its events are those that were recorded until then and belong to no
month before. What is closed is never written again, so that a later look can show whether an event was changed, taken
out or put in. Each month's chain begins with the hash of the month before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.events.event_chain import FIRST_HASH, ChainLine, extend_chain
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import DAY_US
from pipeline.ledger.observed_events import count_shown
from pipeline.ledger.queries.activity_filter import find_id_recorded_by
from pipeline.ledger.queries.flow import list_numbers, load_flow
from pipeline.ledger.schema.core import Store
from pipeline.ledger.statements import (
    find_first_received_at,
    list_statements,
    read_lines,
    save_statements,
)

CLOSES_AFTER_US = 600_000_000  # what was being written when the month ended is written by then, or undone
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC. `since` and `until` in µs, `until` excluded."""

    name: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class StoreStatement:
    """What is known of a store's month. The last four are None while it is open.

    `counts`: as they are now; `expected`, `missed` and `late`: of the events that the store's API has shown.
    """

    month: Month
    counts: dict[str, int]
    expected: int
    missed: int
    late: int
    events: int
    previous: str | None = None
    hash: str | None = None
    counts_at_closing: dict[str, int] | None = None
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedMonth:
    """A closed month whose chain was computed again. `events` and `hash`: as they are now."""

    month: str
    events: int
    hash: str
    closed_events: int
    closed_hash: str
    begins_where_the_last_ended: bool

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, taken out or put in since the month was closed."""
        same = self.events == self.closed_events and self.hash == self.closed_hash
        return same and self.begins_where_the_last_ended


def parse_month(text: str) -> Month:
    """Read a month such as 2026-11. Raises Misconfigured."""
    try:
        return _build_month(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))
    except ValueError:
        raise Misconfigured(f"{text} is no month such as 2026-11") from None


def close_ended_months(context: Context) -> int:
    """Close the months of all stores that have ended. Returns how many there were."""
    with reading(context.engine) as conn:
        stores = list(conn.execute(select(Store.id)).scalars())
    return sum(close_months_of(context, store_id) for store_id in stores)


def close_months_of(context: Context, store_id: int) -> int:
    """Close the months of a store that have ended, the oldest first. Returns how many there were."""
    now = context.now()
    with reading(context.engine) as conn:
        rows = list(_close(conn, store_id, now))
    if not rows:
        return 0
    try:
        with writing(context.engine) as conn:
            save_statements(conn, rows)
    except IntegrityError:  # another process has just closed them
        return 0
    return len(rows)


def build_statement(conn: Connection, store_id: int, month: Month) -> StoreStatement:
    """The statement of a month, closed or open. Raises Misconfigured if nothing had been received by its end."""
    closed = list_statements(conn, store_id)
    shown = count_shown(conn, store_id, month.since // DAY_US, month.until // DAY_US)
    now = month, _count(conn, store_id, month), *shown
    for row in closed:
        if row.month == month.name:
            return StoreStatement(*now, row.events, row.previous, row.hash, row.counts, row.closed_at)
    first = find_first_received_at(conn, store_id)
    if first is None or first >= month.until or any(row.month > month.name for row in closed):
        raise Misconfigured(f"nothing of {month.name} was received")
    after_id, last_id = (find_id_recorded_by(conn, at - 1) for at in (month.since, month.until))
    return StoreStatement(*now, sum(1 for _ in read_lines(conn, store_id, after_id, last_id)))


def check_months(conn: Connection, store_id: int, until: str) -> list[CheckedMonth]:
    """Compute the chains of all closed months up to this one again, from the rows of the events."""
    checked, before, after_id = [], FIRST_HASH, 0
    for row in list_statements(conn, store_id):
        if row.month > until:
            break
        found, events = extend_chain(row.previous, read_lines(conn, store_id, after_id, row.last_event_id))
        checked.append(CheckedMonth(row.month, events, found, row.events, row.hash, row.previous == before))
        before, after_id = row.hash, row.last_event_id
    return checked


def read_month_lines(conn: Connection, store_id: int, month: str) -> tuple[str, Iterator[ChainLine]]:
    """The hash that a closed month begins with, and its lines. Raises Misconfigured if it is not closed."""
    after_id = 0
    for row in list_statements(conn, store_id):
        if row.month == month:
            return row.previous, read_lines(conn, store_id, after_id, row.last_event_id)
        after_id = row.last_event_id
    raise Misconfigured(f"{month} is not closed: it has lines when the month has ended")


def _close(conn: Connection, store_id: int, now: int) -> Iterator[dict[str, Any]]:
    """The rows of the months that have ended and are not closed."""
    closed = list_statements(conn, store_id)
    previous, after_id = (closed[-1].hash, closed[-1].last_event_id) if closed else (FIRST_HASH, 0)
    first = parse_month(closed[-1].month).until if closed else find_first_received_at(conn, store_id)
    if first is None:
        return
    month = _find_month(first)
    while month.until + CLOSES_AFTER_US <= now:
        last_id = max(after_id, find_id_recorded_by(conn, month.until - 1))
        found, events = extend_chain(previous, read_lines(conn, store_id, after_id, last_id))
        yield {
            "store_id": store_id,
            "month": month.name,
            "last_event_id": last_id,
            "events": events,
            "previous": previous,
            "hash": found,
            "counts": _count(conn, store_id, month),
            "closed_at": now,
        }
        previous, after_id, month = found, last_id, _find_month(month.until)


def _count(conn: Connection, store_id: int, month: Month) -> dict[str, int]:
    return list_numbers(load_flow(conn, [store_id], month.since, month.until, "day").total)


def _find_month(at: int) -> Month:
    return parse_month(f"{datetime.fromtimestamp(at / _SECOND_US, UTC):%Y-%m}")


def _build_month(begin: datetime) -> Month:
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return Month(f"{begin:%Y-%m}", int(begin.timestamp()) * _SECOND_US, int(end.timestamp()) * _SECOND_US)
