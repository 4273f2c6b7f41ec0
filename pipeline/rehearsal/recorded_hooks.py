"""Reads the hooks that a store has sent, in the order in which they were recorded. Writes nothing.

A repeat of an event has left no bytes, so it is not among them. Neither are heartbeats and test events of our own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from pipeline.core.hooks import TEST
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core

PAGE_ROWS = 500  # read in one transaction: a longer one would keep SQLite from giving space back
_NOT_OF_THE_STORE = ("unknown_store", "token_revoked")  # reasons of dead hooks that no change of ours would mend


@dataclass(frozen=True, slots=True)
class RecordedHook:
    """One hook. Without `raw` (bytes are kept for a shorter time than events) `data` is what its schema made of it."""

    receipt: str
    event: str
    received_at: int  # µs
    recorded_at: int  # µs; of a dead hook when it died
    source: str
    form: str
    happening: str
    raw: bytes | None
    query: str | None
    data: dict[str, Any] | None

    @property
    def is_emptied(self) -> bool:
        """Whether an erasure has left nothing of it."""
        return not self.raw and not self.query and not self.data


@dataclass(frozen=True, slots=True)
class RecordedPeriod:
    """Whose hooks, and which: recorded since then (µs), up to these rows, so that none comes while it is read."""

    store_id: int
    store: str
    since: int
    last_event: int
    last_dead_hook: int


def find_period(conn: Connection, store_id: int, store: str, since: int) -> RecordedPeriod:
    """Return the period from then (µs) until now."""
    newest = (conn.execute(select(func.max(table.id))).scalar() or 0 for table in (core.Event, core.DeadHook))
    return RecordedPeriod(store_id, store, since, *newest)


def count_hooks(conn: Connection, period: RecordedPeriod) -> int:
    """About how many hooks the period has, for showing progress."""
    event = core.Event
    found = select(func.count()).where(
        event.store_id == period.store_id, event.recorded_at >= period.since, event.id <= period.last_event
    )
    return conn.execute(found).scalar() or 0


def read_hooks(engine: Engine, period: RecordedPeriod) -> Iterator[RecordedHook]:
    """Yield the hooks of the period, a page at a time. Memory does not grow with their number."""
    streams = _read_events(engine, period), _read_dead_hooks(engine, period)
    yield from heapq.merge(*streams, key=lambda hook: hook.recorded_at)


def _read_events(engine: Engine, period: RecordedPeriod) -> Iterator[RecordedHook]:
    event, body = core.Event, core.Body
    columns = event.id, event.receipt, event.name, event.received_at, event.recorded_at, event.source, event.form
    query = (
        select(*columns, event.happening, body.raw, event.data)
        .outerjoin(body, body.event_id == event.id)
        .where(event.store_id == period.store_id, event.recorded_at >= period.since, event.source != TEST)
        .where(event.id <= period.last_event)
    )
    for row in _read_pages(engine, query, event.id):
        bytes_sent = decompress(row.raw) if row.raw else b""
        is_query = row.form == "query"
        yield RecordedHook(
            row.receipt,
            row.name,
            row.received_at,
            row.recorded_at,
            row.source,
            row.form,
            row.happening,
            raw=(b"" if is_query else bytes_sent) if bytes_sent else None,
            query=bytes_sent.decode("utf-8", "surrogateescape") if is_query and bytes_sent else None,
            data=None if bytes_sent else row.data,
        )


def _read_dead_hooks(engine: Engine, period: RecordedPeriod) -> Iterator[RecordedHook]:
    dead = core.DeadHook
    columns = dead.id, dead.receipt, dead.event, dead.received_at, dead.died_at, dead.raw, dead.query
    query = (
        select(*columns)
        .where(dead.store == period.store, dead.replayed_at.is_(None), dead.reason.not_in(_NOT_OF_THE_STORE))
        .where(dead.died_at >= period.since, dead.id <= period.last_dead_hook)
    )
    for row in _read_pages(engine, query, dead.id):
        raw = decompress(row.raw) if row.raw else b""
        yield RecordedHook(
            row.receipt, row.event, row.received_at, row.died_at, "hook", "", "", raw or None, row.query, None
        )


def _read_pages(engine: Engine, query: Any, key: Any) -> Iterator[Row[Any]]:
    after = 0
    while True:
        with reading(engine) as conn:
            rows = conn.execute(query.where(key > after).order_by(key).limit(PAGE_ROWS)).all()
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id
