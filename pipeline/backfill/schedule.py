"""Begins a backfill. There is at most one open backfill per store, however many ask for one at once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from pipeline.backfill.phases import PHASES
from pipeline.core.errors import Misconfigured
from pipeline.ledger.backfills import ALL, DONE, INCREMENTAL, SHORT, find_last_backfill, insert_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, find_store_api, list_stores_with_api

DAY_US = 24 * 3600 * 1_000_000  # µs


def start_due_backfills(engine: Engine, now: int) -> list[int]:
    """Begin every pass that is due; the stores' ids."""
    with reading(engine) as db:
        due = [store_id for store_id in list_stores_with_api(db) if _is_due(db, store_id, now)]
    begun = []
    for store_id in due:
        with writing(engine) as db:
            if _is_due(db, store_id, now):
                create_backfill(db, store_id, INCREMENTAL, now)
                begun.append(store_id)
    return begun


def _is_due(db: Connection, store_id: int, now: int) -> bool:
    """A day after the last one began. A merchant who never let all customers be read did not ask for a daily look."""
    api, last = find_store_api(db, store_id), find_last_backfill(db, store_id)
    if api is None or api.status != ACTIVE or last is None or last.is_open or last.started_at > now - DAY_US:
        return False
    return any(find_last_backfill(db, store_id, kind=ALL, state=state) is not None for state in (DONE, SHORT))


OVERLAP_US = 24 * 3600 * 1_000_000  # µs: what was read last time may not have shown the newest yet


def start_backfill(engine: Engine, store_id: int, kind: str, now: int) -> int:
    """Begin a backfill and return its id; the workers take its first step.

    Raises Misconfigured if one is running or paused, or if we have no keys for the store's API.
    """
    with writing(engine) as db:
        return create_backfill(db, store_id, kind, now)


def create_backfill(db: Connection, store_id: int, kind: str, now: int) -> int:
    """The same, inside the caller's transaction."""
    if find_store_api(db, store_id) is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    since = _get_changes_since(db, store_id) if kind == INCREMENTAL else None
    made = insert_backfill(db, store_id, kind, PHASES[kind][0], now, since)
    if made is None:
        raise Misconfigured(f"store {store_id} has a backfill that is running or paused")
    return made


def create_first_backfill(db: Connection, store_id: int, now: int) -> int | None:
    """Begin the store's first backfill. None: it has had one, and what became of that is the merchant's business."""
    return create_backfill(db, store_id, ALL, now) if find_last_backfill(db, store_id) is None else None


def _get_changes_since(db: Connection, store_id: int) -> int | None:
    """Since when orders may have come that no backfill has read; None: nobody has read any."""
    last = find_last_backfill(db, store_id, state=DONE)
    return None if last is None else last.started_at - OVERLAP_US
