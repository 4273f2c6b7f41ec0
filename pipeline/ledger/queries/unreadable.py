"""Hooks that could not be read, for the activity feed: newest first, a page at a time, and each with its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, select

from pipeline.infra.compression import decompress
from pipeline.ledger.queries.activity_filter import ActivityFilter
from pipeline.ledger.queries.by_store import Order, find_ids_by_store
from pipeline.ledger.schema.core import DeadHook, Store


@dataclass(frozen=True, slots=True)
class UnreadableHook:
    """A hook that became no event. Times are µs; `reason` is a code of docs/operations.md."""

    id: int
    store: str
    name: str
    receipt: str
    stage: str
    reason: str
    times: int  # how often it was tried
    received_at: int
    died_at: int


@dataclass(frozen=True, slots=True)
class UnreadableBytes:
    """What was sent, and what is known about why it could not be read."""

    raw: bytes = field(repr=False)
    query: str | None = field(repr=False)  # of a hook that came as a GET
    detail: dict[str, Any]


_COLUMNS = (
    *(DeadHook.id, DeadHook.store, DeadHook.event.label("name"), DeadHook.receipt, DeadHook.stage, DeadHook.reason),
    *(DeadHook.times, DeadHook.received_at, DeadHook.died_at),
)
_IS_WAITING = DeadHook.replayed_at.is_(None)  # a replayed one is an event


def list_unreadable_hooks(
    conn: Connection, wanted: ActivityFilter, *, before: int | None = None, after: int | None = None, limit: int = 50
) -> list[UnreadableHook]:
    """A page of them, newest first: the newest below `before`, or the oldest above `after`.

    They have no source, person or subject: a filter that asks for one has none of them. Its times are of the arrival.
    """
    if wanted.source or wanted.person_id or wanted.subject:
        return []
    query = select(DeadHook.id).where(DeadHook.store == Store.name, DeadHook.store_id == Store.id, _IS_WAITING)
    query = query.where(DeadHook.id < before) if before is not None else query
    query = query.where(DeadHook.id > after) if after is not None else query
    query = query.where(DeadHook.event == wanted.name) if wanted.name is not None else query
    query = query.where(DeadHook.received_at >= wanted.since) if wanted.since is not None else query
    query = query.where(DeadHook.received_at <= wanted.until) if wanted.until is not None else query
    oldest_first = after is not None
    of_store: Select[Any] = query.order_by(DeadHook.id.asc() if oldest_first else DeadHook.id.desc()).limit(limit)
    ids = find_ids_by_store(conn, wanted.store_ids, of_store, limit, Order(DeadHook, lowest_first=oldest_first))
    rows = conn.execute(select(*_COLUMNS).where(DeadHook.id.in_(ids)).order_by(DeadHook.id.desc()))
    return [UnreadableHook(**row._asdict()) for row in rows]


def get_unreadable_hook(conn: Connection, dead_id: int) -> tuple[UnreadableHook, UnreadableBytes] | None:
    """One of them with its bytes; None if there is none with this id, or it has become an event since."""
    row = conn.execute(select(*_COLUMNS).where(DeadHook.id == dead_id, _IS_WAITING)).one_or_none()
    if row is None:
        return None
    more = conn.execute(select(DeadHook.raw, DeadHook.query, DeadHook.detail).where(DeadHook.id == dead_id)).one()
    return UnreadableHook(**row._asdict()), UnreadableBytes(decompress(more.raw), more.query, more.detail)
