"""The figures of stores, a page of them at a time. Counts over time come from the kept counts, never from events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.ledger.counts.keys import HOUR_US, HOURS_PER_DAY
from pipeline.ledger.deliveries.status import DEAD, OPEN
from pipeline.ledger.queries.event_hours import (
    ArrivalTimes,
    UsualRange,
    load_arrival_times,
    load_event_hours,
    load_usual_days,
)
from pipeline.ledger.schema.core import Delivery, Event, Lane, Store, StoreConnection

HOURS_SHOWN = 2 * HOURS_PER_DAY


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What a store's owner looks at first. Times are µs, days are UTC.

    `events_by_hour`: of the last 48 hours, the oldest first; the last is not over. `usual_today`: how many events a
    whole day of this weekday has. `arrival_times`: of the last 24 hours. `waiting`, `refused`: messages;
    `waiting_reason`: why the last attempt to send failed.
    """

    store_id: int
    last_event_at: int | None
    events_by_hour: tuple[int, ...]
    events_today: int
    usual_today: UsualRange | None
    arrival_times: ArrivalTimes | None
    waiting: int
    oldest_waiting_at: int | None
    waiting_reason: str | None
    refused: int


def load_store_figures(conn: Connection, store_ids: Collection[int], now: int) -> dict[int, StoreFigures]:
    """Store id -> its figures."""
    end = now // HOUR_US + 1
    today = now // HOUR_US // HOURS_PER_DAY
    hours = load_event_hours(conn, store_ids, end - HOURS_SHOWN, end)
    usual = load_usual_days(conn, store_ids, today)
    arrivals = load_arrival_times(conn, store_ids, end - HOURS_PER_DAY)
    reasons = _find_reasons(conn, store_ids)
    last, refused = _find_last(conn, store_ids), _count_refused(conn, store_ids)
    waiting = _count_waiting(conn, store_ids)
    figures = {}
    for store_id in store_ids:
        numbers = hours.get(store_id, {})
        count, oldest = waiting.get(store_id, (0, None))
        figures[store_id] = StoreFigures(
            store_id=store_id,
            last_event_at=last.get(store_id),
            events_by_hour=tuple(numbers.get(hour, 0) for hour in range(end - HOURS_SHOWN, end)),
            events_today=sum(number for hour, number in numbers.items() if hour >= today * HOURS_PER_DAY),
            usual_today=usual.get(store_id),
            arrival_times=arrivals.get(store_id),
            waiting=count,
            oldest_waiting_at=oldest,
            waiting_reason=reasons.get(store_id),
            refused=refused.get(store_id, 0),
        )
    return figures


def _find_last(conn: Connection, store_ids: Collection[int]) -> dict[int, int]:
    newest = select(Event.received_at).where(Event.store_id == Store.id).order_by(Event.id.desc()).limit(1)
    query = select(Store.id, newest.correlate(Store).scalar_subquery().label("at")).where(Store.id.in_(store_ids))
    return {row.id: row.at for row in conn.execute(query) if row.at is not None}


def _count_waiting(conn: Connection, store_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Store id -> (open messages, when the oldest of them was written).

    The oldest of a connection is the first: so its index says all, and only one row of each connection is read.
    """
    link = StoreConnection
    numbers = func.count().label("messages"), func.min(Delivery.id).label("first_id")
    waiting = select(link.store_id, *numbers).join(Delivery, Delivery.connection_id == link.id)
    waiting = waiting.where(OPEN, link.store_id.in_(store_ids)).group_by(link.id, link.store_id)
    each = waiting.subquery()
    columns = each.c.store_id, func.sum(each.c.messages).label("messages"), func.min(Delivery.created_at).label("at")
    query = select(*columns).join(Delivery, Delivery.id == each.c.first_id).group_by(each.c.store_id)
    return {row.store_id: (int(row.messages), row.at) for row in conn.execute(query)}


def _find_reasons(conn: Connection, store_ids: Collection[int]) -> dict[int, str]:
    """Store id -> why the last attempt of a lane failed that has not succeeded since."""
    columns = StoreConnection.store_id, Lane.reason
    query = select(*columns).join(Lane, Lane.connection_id == StoreConnection.id).where(Lane.reason.is_not(None))
    rows = conn.execute(query.where(StoreConnection.store_id.in_(store_ids)).order_by(Lane.next_attempt_at.desc()))
    return {row.store_id: row.reason for row in rows}


def _count_refused(conn: Connection, store_ids: Collection[int]) -> dict[int, int]:
    query = select(Delivery.store_id, func.count().label("messages")).where(DEAD, Delivery.store_id.in_(store_ids))
    return {row.store_id: row.messages for row in conn.execute(query.group_by(Delivery.store_id))}
