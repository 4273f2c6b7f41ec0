"""How many events came in each hour and day, what is usual, and how long they took: read from the kept counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, union_all

from pipeline.ledger.counts.arrivals import find_percentile
from pipeline.ledger.counts.keys import ARRIVALS, HOUR_US, HOURS_PER_DAY, NOT_OF_EVENTS
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.counts import CountChange, DailyCount, HourlyCount

USUAL_WEEKS = 8  # that are looked back to learn what is usual
_MIN_WEEKS = 3
_OUTLIERS_FROM = 6  # weeks: with so many, the lowest and the highest do not count
_HOURS_PER_WEEK = 7 * HOURS_PER_DAY


@dataclass(frozen=True, slots=True)
class UsualRange:
    """The lowest and the highest number of events that are usual."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """Within how many seconds half of the events, and 95 of 100, were at the platform after their hook had come."""

    arrivals: int
    median_s: float
    most_s: float  # 95 of 100


def load_event_hours(
    conn: Connection, store_ids: Collection[int], first_hour: int, end_hour: int
) -> dict[int, dict[int, int]]:
    """Store id -> hour since the epoch -> the events received in it, from the first hour to before the end.

    A store without events is absent, and so is an hour without any.
    """
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for store_id, hour, number in conn.execute(_select_hours(store_ids, first_hour, end_hour)):
        found[store_id][hour] = int(number)
    return dict(found)


def count_day(conn: Connection, store_ids: Collection[int], day: int) -> dict[int, int]:
    """Store id -> the events of this day (in UTC, since the epoch)."""
    hours = load_event_hours(conn, store_ids, day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY)
    return {store_id: sum(numbers.values()) for store_id, numbers in hours.items()}


def load_usual_days(conn: Connection, store_ids: Collection[int], day: int) -> dict[int, UsualRange]:
    """Store id -> how many events this weekday usually has, as the weeks before had; absent: too little is known."""
    days = [day - 7 * week for week in range(1, USUAL_WEEKS + 1)]
    row = DailyCount
    query = select(row.store_id, row.day, func.sum(row.number)).where(row.store_id.in_(store_ids), row.day.in_(days))
    query = query.where(row.outcome.not_in(NOT_OF_EVENTS)).group_by(row.store_id, row.day)
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for store_id, on_day, number in conn.execute(query):
        found[store_id][on_day] = int(number)
    created = _load_created_hours(conn, store_ids)
    ranges = {
        store_id: _find_range(found[store_id].get(one, 0) for one in days if one * HOURS_PER_DAY >= created[store_id])
        for store_id in created
    }
    return {store_id: usual for store_id, usual in ranges.items() if usual}


def load_usual_hours(conn: Connection, store_id: int, first_hour: int, end_hour: int) -> dict[int, UsualRange]:
    """Hour -> how many events it usually has, as the same hour of the weeks before; absent: too little is known."""
    created = _load_created_hours(conn, [store_id]).get(store_id)
    if created is None:
        return {}
    known: Counter[int] = Counter()
    for week in range(1, USUAL_WEEKS + 1):
        back = week * _HOURS_PER_WEEK
        known.update(load_event_hours(conn, [store_id], first_hour - back, end_hour - back).get(store_id, {}))
    ranges = {
        hour: _find_range(known[one] for one in _list_same_hours(hour) if one > created)
        for hour in range(first_hour, end_hour)
    }
    return {hour: usual for hour, usual in ranges.items() if usual}


def load_arrival_times(conn: Connection, store_ids: Collection[int], first_hour: int) -> dict[int, ArrivalTimes]:
    """Store id -> how long its events took that have arrived since this hour; absent: none has."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    parts = (
        select(row.store_id, row.outcome, row.number).where(
            row.store_id.in_(store_ids), row.hour >= first_hour, row.outcome.in_(ARRIVALS)
        )
        for row in (HourlyCount, CountChange)
    )
    rows = union_all(*parts).subquery()
    keys = rows.c.store_id, rows.c.outcome
    for store_id, outcome, number in conn.execute(select(*keys, func.sum(rows.c.number)).group_by(*keys)):
        counts[store_id][outcome] = int(number)
    return {store_id: times for store_id, found in counts.items() if (times := _build_times(found))}


def _build_times(counts: Counter[str]) -> ArrivalTimes | None:
    median, most = find_percentile(counts, 0.5), find_percentile(counts, 0.95)
    return None if median is None or most is None else ArrivalTimes(counts.total(), median, most)


def _select_hours(store_ids: Collection[int], first_hour: int, end_hour: int) -> Any:
    parts = (
        select(row.store_id, row.hour, row.number).where(
            row.store_id.in_(store_ids), row.hour >= first_hour, row.hour < end_hour, row.outcome.not_in(NOT_OF_EVENTS)
        )
        for row in (HourlyCount, CountChange)
    )
    rows = union_all(*parts).subquery()
    keys = rows.c.store_id, rows.c.hour
    return select(*keys, func.sum(rows.c.number)).group_by(*keys)


def _load_created_hours(conn: Connection, store_ids: Collection[int]) -> Mapping[int, int]:
    rows = conn.execute(select(Store.id, Store.created_at).where(Store.id.in_(store_ids)))
    return {row.id: row.created_at // HOUR_US for row in rows}


def _list_same_hours(hour: int) -> range:
    return range(hour - _HOURS_PER_WEEK, hour - (USUAL_WEEKS + 1) * _HOURS_PER_WEEK, -_HOURS_PER_WEEK)


def _find_range(numbers: Iterable[int]) -> UsualRange | None:
    known = sorted(numbers)
    if len(known) < _MIN_WEEKS:
        return None
    if len(known) >= _OUTLIERS_FROM:
        known = known[1:-1]
    return UsualRange(known[0], known[-1])
