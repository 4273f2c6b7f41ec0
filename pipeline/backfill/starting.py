"""Begins a backfill. There is at most one open backfill per store, however many ask for one at once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from pipeline.backfill.phases import PHASES
from pipeline.errors import Misconfigured
from pipeline.ledger.backfills import ALL, DONE, INCREMENTAL, last_backfill, open_backfill
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import find_api

OVERLAP = 24 * 3600 * 1_000_000  # µs: what was read last time may not have shown the newest yet


def start_backfill(engine: Engine, store_id: int, kind: str, now: int) -> int:
    """Begin a backfill and return its id; the workers take its first step.

    Raises Misconfigured if one is running or paused, or if we have no keys for the store's API.
    """
    with writing(engine) as db:
        return begin(db, store_id, kind, now)


def begin(db: Connection, store_id: int, kind: str, now: int) -> int:
    """The same, inside the caller's transaction."""
    if find_api(db, store_id) is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    since = _last_read(db, store_id) if kind == INCREMENTAL else None
    made = open_backfill(db, store_id, kind, PHASES[kind][0], now, since)
    if made is None:
        raise Misconfigured(f"store {store_id} has a backfill that is running or paused")
    return made


def begin_first(db: Connection, store_id: int, now: int) -> int | None:
    """Begin the store's first backfill. None: it has had one, and what became of that is the merchant's business."""
    return begin(db, store_id, ALL, now) if last_backfill(db, store_id) is None else None


def _last_read(db: Connection, store_id: int) -> int | None:
    """Since when orders may have come that no backfill has read; None: nobody has read any."""
    last = last_backfill(db, store_id, state=DONE)
    return None if last is None else last.started_at - OVERLAP
