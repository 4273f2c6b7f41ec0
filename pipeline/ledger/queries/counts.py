"""Counts of deliveries and events that stay cheap with a million rows: none reads sent deliveries or event rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, func, select, union_all

from pipeline.ledger.counts.keys import DEAD as DEAD_HOOK
from pipeline.ledger.counts.keys import DUPLICATE, NO_NAME
from pipeline.ledger.deliveries.status import DEAD, OPEN
from pipeline.ledger.retention import past as past_rows
from pipeline.ledger.schema.core import Delivery, Lane, Store, StoreConnection
from pipeline.ledger.schema.counts import CountChange, TotalCount
from pipeline.ledger.schema.retention import PastCount


@dataclass(frozen=True, slots=True)
class ConnectionCounts:
    """One connection: its status, its deliveries by state, and what its lanes wait for."""

    connection_id: int
    store: str
    platform: str
    label: str
    status: str
    status_reason: str | None
    pending: int
    sending: int
    sent: int
    dead: int
    oldest_pending_at: int | None  # µs, of the oldest open delivery
    lanes_waiting: int
    next_attempt_at: int | None  # µs, of the waiting lane that is due first
    waiting_reason: str | None  # that lane's; if none waits, that of a lane that retries and has not succeeded yet
    title: str | None = None  # of the connection
    store_title: str | None = None


@dataclass(frozen=True, slots=True)
class EventCounts:
    """The number of events, by name and by outcome, of dead hooks and of duplicates.

    Events and duplicates include those that are older than events are kept, so that no count ever falls.
    """

    by_name: Mapping[str, int]
    by_outcome: Mapping[str, int]
    dead_hooks: int
    duplicates: int  # repeats of these events that were dropped
    deleted_dead_hooks: int = 0  # they were never replayed, and are older than dead hooks are kept


def count_by_connection(conn: Connection, now: int) -> list[ConnectionCounts]:
    """The counts of every connection."""
    connection = StoreConnection
    columns = (connection.id.label("connection_id"), Store.name.label("store"), connection.platform, connection.label)
    titles = connection.title, Store.title.label("store_title")
    query = select(*columns, connection.status, connection.status_reason, *titles)
    rows = conn.execute(query.join(Store, Store.id == connection.store_id).order_by(connection.id))
    open_rows, dead, sent, waits = _count_open(conn), _count_dead(conn), _count_sent(conn), _find_waits(conn, now)
    return [
        ConnectionCounts(
            **row._asdict(),
            **open_rows.get(row.connection_id, _NOTHING_OPEN),
            sent=sent.get(row.connection_id, 0),
            dead=dead.get(row.connection_id, 0),
            **waits.get(row.connection_id, _NO_WAIT),
        )
        for row in rows
    ]


def count_events(conn: Connection, store: str | None = None) -> EventCounts:
    """Counts of all events, or of one store's, from the kept counts."""
    by_name: Counter[str] = Counter()
    by_outcome: Counter[str] = Counter()
    for name, outcome, number in conn.execute(_select_totals(store)):
        by_outcome[outcome] += int(number)
        if outcome not in (DUPLICATE, DEAD_HOOK):
            by_name[name] += int(number)
    duplicates, dead_hooks = by_outcome.pop(DUPLICATE, 0), by_outcome.pop(DEAD_HOOK, 0)
    deleted = _count_deleted_dead_hooks(conn, store)
    return EventCounts(_sorted(by_name), _sorted(by_outcome), dead_hooks - deleted, duplicates, deleted)


def _select_totals(store: str | None) -> Select[Any]:
    parts = []
    for row in (TotalCount, CountChange):
        query = select(row.name, row.outcome, row.number).where(row.name != NO_NAME)
        parts.append(query if store is None else query.where(row.store_id == _get_store_id(store)))
    found = union_all(*parts).subquery()
    columns: tuple[Any, ...] = found.c.name, found.c.outcome
    return select(*columns, func.sum(found.c.number)).group_by(*columns)


def _count_deleted_dead_hooks(conn: Connection, store: str | None) -> int:
    query = select(func.coalesce(func.sum(PastCount.number), 0)).where(PastCount.outcome == past_rows.DEAD)
    if store is not None:
        query = query.where(PastCount.store_id == _get_store_id(store))
    return int(conn.execute(query).scalar_one())


def _sorted(numbers: Mapping[str, int]) -> dict[str, int]:
    return {key: number for key, number in sorted(numbers.items()) if number}


_NOTHING_OPEN: dict[str, Any] = {"pending": 0, "sending": 0, "oldest_pending_at": None}
_NO_WAIT: dict[str, Any] = {"lanes_waiting": 0, "next_attempt_at": None, "waiting_reason": None}


def _count_open(conn: Connection) -> dict[int, dict[str, Any]]:
    columns = (Delivery.connection_id, Delivery.status, func.count().label("count"), func.min(Delivery.id).label("id"))
    query = select(*columns).where(OPEN).group_by(Delivery.connection_id, Delivery.status)
    found: dict[int, dict[str, Any]] = {}
    for row in conn.execute(query.order_by(func.min(Delivery.id))).all():
        counts = found.setdefault(row.connection_id, dict(_NOTHING_OPEN))
        counts[row.status] = row.count
        if counts["oldest_pending_at"] is None:
            oldest = select(Delivery.created_at).where(Delivery.id == row.id)
            counts["oldest_pending_at"] = conn.execute(oldest).scalar_one()
    return found


def _count_dead(conn: Connection) -> dict[int, int]:
    return {row.connection_id: row.dead for row in conn.execute(build_dead_counts())}


def build_dead_counts() -> Select[Any]:
    """(connection_id, dead) of all connections with dead deliveries.

    Grouped by an expression: SQLite would read all deliveries in the order of their connections to spare the sorting,
    in the place of the few in the partial index.
    """
    connection_id = (Delivery.connection_id + 0).label("connection_id")
    columns: tuple[Any, ...] = connection_id, func.count().label("dead")
    return select(*columns).where(DEAD).group_by(connection_id)


def _count_sent(conn: Connection) -> dict[int, int]:
    query = select(Lane.connection_id, func.sum(Lane.sent)).group_by(Lane.connection_id)
    return {connection_id: int(sent) for connection_id, sent in conn.execute(query)}


def _find_waits(conn: Connection, now: int) -> dict[int, dict[str, Any]]:
    columns = (Lane.connection_id, Lane.next_attempt_at, Lane.reason)
    query = select(*columns).join(StoreConnection, StoreConnection.id == Lane.connection_id)
    # A paused connection waits for a person, not for a lane's next attempt.
    query = query.where(Lane.reason.is_not(None), StoreConnection.status == "active")
    found: dict[int, dict[str, Any]] = {}
    for connection_id, at, reason in conn.execute(query.order_by(Lane.next_attempt_at)):
        waits = found.setdefault(connection_id, {**_NO_WAIT, "waiting_reason": reason})
        if at <= now:
            continue
        if not waits["lanes_waiting"]:
            waits |= {"next_attempt_at": at, "waiting_reason": reason}
        waits["lanes_waiting"] += 1
    return found


def _get_store_id(store: str) -> ScalarSelect[int]:
    return select(Store.id).where(Store.name == store).scalar_subquery()
