"""Starts backfills, at most one at a time for each store, and says whether one waits for the store's hooks."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from pipeline.backfill.phases import PHASES
from pipeline.core.errors import Misconfigured
from pipeline.ledger.backfills import ALL, DONE, INCREMENTAL, SHORT, BackfillRow, find_last_backfill, insert_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.store_apis import ACTIVE, find_store_api, list_stores_with_api

DAY_US = 86_400_000_000
OVERLAP_US = DAY_US  # the last backfill may not have shown the newest orders yet
HOOKS_TIMEOUT_US = 60_000_000  # after the start: hooks that cannot be registered must not hold a backfill up


def start_due_backfills(engine: Engine, now: int) -> list[int]:
    """Start every incremental backfill that is due. Return the ids of the stores."""
    with reading(engine) as conn:
        due = [store_id for store_id in list_stores_with_api(conn) if _is_due(conn, store_id, now)]
    started = []
    for store_id in due:
        with writing(engine) as conn:
            if _is_due(conn, store_id, now):
                create_backfill(conn, store_id, INCREMENTAL, now)
                started.append(store_id)
    return started


def start_backfill(engine: Engine, store_id: int, kind: str, now: int) -> int:
    """Start a backfill and return its id; the workers take its first step.

    Raises Misconfigured if one is running or paused, or if we have no keys for the store's API.
    """
    with writing(engine) as conn:
        return create_backfill(conn, store_id, kind, now)


def create_backfill(conn: Connection, store_id: int, kind: str, now: int) -> int:
    """Do the same inside the caller's transaction."""
    if find_store_api(conn, store_id) is None:
        raise Misconfigured(f"store {store_id} is connected without Cratejoy's Client ID and Secret")
    since = _get_changes_since(conn, store_id) if kind == INCREMENTAL else None
    backfill_id = insert_backfill(conn, store_id, kind, PHASES[kind][0], now, since)
    if backfill_id is None:
        raise Misconfigured(f"store {store_id} has a backfill that is running or paused")
    return backfill_id


def create_first_backfill(conn: Connection, store_id: int, now: int) -> int | None:
    """Start the store's first backfill. None: it has had one, and whether to start another is the merchant's choice."""
    return create_backfill(conn, store_id, ALL, now) if find_last_backfill(conn, store_id) is None else None


def is_waiting_for_hooks(conn: Connection, row: BackfillRow, now: int) -> bool:
    """Whether a new backfill waits because hooks are still to be registered.

    A customer who registers during the backfill is on no page that was read before: a hook has to report them.
    """
    if row.totals or now > row.started_at + HOOKS_TIMEOUT_US:
        return False
    api = find_store_api(conn, row.store_id)
    if api is None or not api.registers:
        return False
    return api.audited_at is None or any(finding.is_fixable for finding in list_findings(conn, row.store_id))


def _is_due(conn: Connection, store_id: int, now: int) -> bool:
    """Whether a day has passed since the last start. Stores whose customers were never all read have no daily run."""
    api, last = find_store_api(conn, store_id), find_last_backfill(conn, store_id)
    if api is None or api.status != ACTIVE or last is None or last.is_open or last.started_at > now - DAY_US:
        return False
    return any(find_last_backfill(conn, store_id, kind=ALL, state=state) is not None for state in (DONE, SHORT))


def _get_changes_since(conn: Connection, store_id: int) -> int | None:
    """From when on orders may exist that no backfill has read; None if none has read any."""
    last = find_last_backfill(conn, store_id, state=DONE)
    return None if last is None else last.started_at - OVERLAP_US
