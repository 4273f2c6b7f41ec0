"""Reconciliation by store: how far its API has been compared with the ledger, and how many hooks never came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from pipeline.core.hooks import RECONCILE
from pipeline.ledger.observation import DAY_US, DayCount
from pipeline.ledger.observed_events import count_by_day
from pipeline.ledger.schema.core import Event, Store
from pipeline.ledger.schema.reconciliation import Reconciliation

WINDOW_DAYS = 7


@dataclass(frozen=True, slots=True)
class ReconciliationSummary:
    """One store's progress, and its counts of the last seven days."""

    store: str
    since: int  # µs: events from before are ignored
    complete_until: int | None  # µs: all collections are compared up to then; None: not all have been read yet
    trouble: str | None  # why a collection could not be read
    expected: int
    missed: int
    late: int

    @property
    def rate(self) -> float:
        """The share of events whose hook never came."""
        return self.missed / self.expected if self.expected else 0.0


def list_reconciliations(
    conn: Connection, now: int, names: Collection[str] | None = None, week: Collection[DayCount] | None = None
) -> list[ReconciliationSummary]:
    """Every store that is reconciled, by name, or those of these names. `week`: their counts, if they are loaded."""
    row = Reconciliation
    columns = (Store.name, row.collection, row.since, row.mark, row.done_at, row.error)
    query = select(*columns).join(Store, Store.id == row.store_id).order_by(Store.name, row.collection)
    if names is not None:
        query = query.where(Store.name.in_(names))
    stores: dict[str, list[_CollectionProgress]] = {}
    for name, collection, since, mark, done_at, error in conn.execute(query):
        trouble = f"{collection}: {error}" if error else None
        stores.setdefault(name, []).append(_CollectionProgress(since, None if done_at is None else mark, trouble))
    counts: defaultdict[str, list[DayCount]] = defaultdict(list)
    for day in count_last_week(conn, now, names) if week is None else week:
        counts[day.store].append(day)
    return [_summarise(name, rows, counts[name]) for name, rows in stores.items()]


def count_last_week(conn: Connection, now: int, names: Collection[str] | None = None) -> list[DayCount]:
    """The counts of the last seven days, by event and day."""
    return count_by_day(conn, now // DAY_US - WINDOW_DAYS + 1, names)


def find_newest_event_id(conn: Connection) -> int:
    """The largest event id; 0 if there is no event."""
    return conn.execute(select(func.max(Event.id))).scalar() or 0


def count_recovered_since(conn: Connection, store_id: int, event_id: int) -> dict[str, int]:
    """Event name -> the number of a store's events that were recovered after this event id."""
    recovered = Event.id > event_id, Event.store_id == store_id, Event.source == RECONCILE
    query = select(Event.name, func.count().label("times")).where(*recovered).group_by(Event.name).order_by(Event.name)
    return {row.name: row.times for row in conn.execute(query)}


class _CollectionProgress(NamedTuple):
    """How far one collection has been read."""

    since: int
    mark: int | None
    trouble: str | None


def _summarise(name: str, rows: list[_CollectionProgress], counts: list[DayCount]) -> ReconciliationSummary:
    return ReconciliationSummary(
        name,
        min(row.since for row in rows),
        _earliest_or_none([row.mark for row in rows]),
        next((row.trouble for row in rows if row.trouble), None),
        sum(day.expected for day in counts),
        sum(day.missed for day in counts),
        sum(day.late for day in counts),
    )


def _earliest_or_none(marks: Sequence[int | None]) -> int | None:
    known = [mark for mark in marks if mark is not None]
    return min(known) if len(known) == len(marks) else None
