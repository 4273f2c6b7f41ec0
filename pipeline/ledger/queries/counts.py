"""Counts of deliveries and events that stay cheap with a million rows: none reads sent deliveries or event rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, union_all

from pipeline.ledger.counts.keys import DEAD as DEAD_HOOK
from pipeline.ledger.counts.keys import DUPLICATE, NO_NAME
from pipeline.ledger.deliveries.status import DEAD, OPEN, PENDING
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


def count_by_connection(conn: Connection, now: int, store_ids: Collection[int] | None = None) -> list[ConnectionCounts]:
    """The counts of every connection, or of those of these stores."""
    connection = StoreConnection
    columns = (connection.id.label("connection_id"), Store.name.label("store"), connection.platform, connection.label)
    titles = connection.title, Store.title.label("store_title")
    query = select(*columns, connection.status, connection.status_reason, *titles)
    query = query if store_ids is None else query.where(connection.store_id.in_(store_ids))
    rows = conn.execute(query.join(Store, Store.id == connection.store_id).order_by(connection.id)).all()
    ids = None if store_ids is None else [row.connection_id for row in rows]
    open_rows, dead = _count_open(conn, ids), _count_dead(conn, store_ids)
    sent, waits = _count_sent(conn, ids), _find_waits(conn, now, ids)
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


def count_events(conn: Connection) -> EventCounts:
    """Counts of all events, from the kept counts."""
    rows = [(name, outcome, int(number)) for _, name, outcome, number in conn.execute(_select_totals(None))]
    return _build_event_counts(rows, sum(_count_deleted_dead_hooks(conn, None).values()))


def count_events_by_store(conn: Connection, store_ids: Collection[int]) -> dict[int, EventCounts]:
    """Store id -> the counts of its events, for each of these stores."""
    rows: defaultdict[int, list[tuple[str, str, int]]] = defaultdict(list)
    for store_id, name, outcome, number in conn.execute(_select_totals(store_ids)):
        rows[store_id].append((name, outcome, int(number)))
    deleted = _count_deleted_dead_hooks(conn, store_ids)
    return {store_id: _build_event_counts(rows[store_id], deleted.get(store_id, 0)) for store_id in store_ids}


def _build_event_counts(rows: Iterable[tuple[str, str, int]], deleted_dead_hooks: int) -> EventCounts:
    """`rows`: name, outcome, number."""
    by_name: Counter[str] = Counter()
    by_outcome: Counter[str] = Counter()
    for name, outcome, number in rows:
        by_outcome[outcome] += number
        if outcome not in (DUPLICATE, DEAD_HOOK):
            by_name[name] += number
    duplicates, dead_hooks = by_outcome.pop(DUPLICATE, 0), by_outcome.pop(DEAD_HOOK, 0) - deleted_dead_hooks
    return EventCounts(_sorted(by_name), _sorted(by_outcome), dead_hooks, duplicates, deleted_dead_hooks)


def _select_totals(store_ids: Collection[int] | None) -> Select[Any]:
    """(store_id, name, outcome, number)."""
    parts = []
    for row in (TotalCount, CountChange):
        query = select(row.store_id, row.name, row.outcome, row.number).where(row.name != NO_NAME)
        parts.append(query if store_ids is None else query.where(row.store_id.in_(store_ids)))
    found = union_all(*parts).subquery()
    columns: tuple[Any, ...] = found.c.store_id, found.c.name, found.c.outcome
    return select(*columns, func.sum(found.c.number)).group_by(*columns)


def _count_deleted_dead_hooks(conn: Connection, store_ids: Collection[int] | None) -> dict[int, int]:
    query = select(PastCount.store_id, func.sum(PastCount.number)).where(PastCount.outcome == past_rows.DEAD)
    query = query if store_ids is None else query.where(PastCount.store_id.in_(store_ids))
    return {store_id: int(number) for store_id, number in conn.execute(query.group_by(PastCount.store_id))}


def _sorted(numbers: Mapping[str, int]) -> dict[str, int]:
    return {key: number for key, number in sorted(numbers.items()) if number}


_NOTHING_OPEN: dict[str, Any] = {"pending": 0, "sending": 0, "oldest_pending_at": None}
_NO_WAIT: dict[str, Any] = {"lanes_waiting": 0, "next_attempt_at": None, "waiting_reason": None}


def _among(column: Any, ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    """The condition on a column that it is one of these; none if `ids` is None."""
    return [] if ids is None else [column.in_(ids)]


def _count_open(conn: Connection, connection_ids: Collection[int] | None) -> dict[int, dict[str, Any]]:
    columns = (
        Delivery.connection_id,
        Delivery.status,
        func.count().label("messages"),
        func.min(Delivery.id).label("id"),
    )
    query = select(*columns).where(OPEN, *_among(Delivery.connection_id, connection_ids))
    first = query.group_by(Delivery.connection_id, Delivery.status).subquery()
    oldest = select(first.c.connection_id, first.c.status, first.c.messages, Delivery.created_at)
    found: dict[int, dict[str, Any]] = {}
    for row in conn.execute(oldest.join(Delivery, Delivery.id == first.c.id).order_by(first.c.id)):
        counts = found.setdefault(row.connection_id, {**_NOTHING_OPEN, "oldest_pending_at": row.created_at})
        counts[row.status] += row.messages
    for connection_id, claimed in _count_claimed(conn, connection_ids).items():
        if connection_id in found:
            found[connection_id]["pending"] -= claimed
            found[connection_id]["sending"] += claimed
    return found


def _count_claimed(conn: Connection, connection_ids: Collection[int] | None) -> dict[int, int]:
    """How many pending messages of each connection are being sent, read lane by lane: a claim is small."""
    in_claim = (Delivery.connection_id == Lane.connection_id, Delivery.lane == Lane.lane, OPEN, PENDING)
    claimed = Delivery.priority <= Lane.claimed_priority, Delivery.id <= Lane.claimed_to
    query = select(Lane.connection_id, func.count().label("messages")).join(Delivery, and_(*in_claim, *claimed))
    query = query.where(Lane.claimed_token == Lane.token, *_among(Lane.connection_id, connection_ids))
    return {row.connection_id: row.messages for row in conn.execute(query.group_by(Lane.connection_id))}


def _count_dead(conn: Connection, store_ids: Collection[int] | None) -> dict[int, int]:
    query = build_dead_counts().where(*_among(Delivery.store_id, store_ids))
    return {row.connection_id: row.dead for row in conn.execute(query)}


def build_dead_counts() -> Select[Any]:
    """(connection_id, dead) of all connections with dead deliveries.

    Grouped by an expression: SQLite would read all deliveries in the order of their connections to spare the sorting,
    in the place of the few in the partial index.
    """
    connection_id = (Delivery.connection_id + 0).label("connection_id")
    columns: tuple[Any, ...] = connection_id, func.count().label("dead")
    return select(*columns).where(DEAD).group_by(connection_id)


def _count_sent(conn: Connection, connection_ids: Collection[int] | None) -> dict[int, int]:
    query = select(Lane.connection_id, func.sum(Lane.sent)).where(*_among(Lane.connection_id, connection_ids))
    query = query.group_by(Lane.connection_id)
    return {connection_id: int(sent) for connection_id, sent in conn.execute(query)}


def _find_waits(conn: Connection, now: int, connection_ids: Collection[int] | None) -> dict[int, dict[str, Any]]:
    columns = (Lane.connection_id, Lane.next_attempt_at, Lane.reason)
    query = select(*columns).join(StoreConnection, StoreConnection.id == Lane.connection_id)
    # A paused connection waits for a person, not for a lane's next attempt.
    query = query.where(Lane.reason.is_not(None), StoreConnection.status == "active")
    query = query.where(*_among(Lane.connection_id, connection_ids))
    found: dict[int, dict[str, Any]] = {}
    for connection_id, at, reason in conn.execute(query.order_by(Lane.next_attempt_at)):
        waits = found.setdefault(connection_id, {**_NO_WAIT, "waiting_reason": reason})
        if at <= now:
            continue
        if not waits["lanes_waiting"]:
            waits |= {"next_attempt_at": at, "waiting_reason": reason}
        waits["lanes_waiting"] += 1
    return found
