"""The daily pass: reads what may have changed without a hook telling us, in every store that was read once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from pipeline.backfill.starting import begin
from pipeline.ledger.backfills import ALL, DONE, INCREMENTAL, SHORT, last_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, find_api, stores_with_api

DAY = 24 * 3600 * 1_000_000  # µs


def begin_due(engine: Engine, now: int) -> list[int]:
    """Begin every pass that is due; the stores' ids."""
    with reading(engine) as db:
        due = [store_id for store_id in stores_with_api(db) if _is_due(db, store_id, now)]
    begun = []
    for store_id in due:
        with writing(engine) as db:
            if _is_due(db, store_id, now):
                begin(db, store_id, INCREMENTAL, now)
                begun.append(store_id)
    return begun


def _is_due(db: Connection, store_id: int, now: int) -> bool:
    """A day after the last one began. A merchant who never let all customers be read did not ask for a daily look."""
    api, last = find_api(db, store_id), last_backfill(db, store_id)
    if api is None or api.status != ACTIVE or last is None or last.is_open or last.started_at > now - DAY:
        return False
    return any(last_backfill(db, store_id, kind=ALL, state=state) is not None for state in (DONE, SHORT))
