"""Whether a backfill should wait for the store's hooks: who registers meanwhile must be told of by one of the two."""

from __future__ import annotations

from sqlalchemy import Connection

from pipeline.ledger.backfills import BackfillRow
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.store_apis import find_store_api

HOOKS_TIMEOUT_US = 60 * 1_000_000  # µs after the beginning: hooks that cannot be registered must not hold a backfill up


def is_waiting_for_hooks(db: Connection, row: BackfillRow, now: int) -> bool:
    """Before its first page, while hooks are still to be looked at or mended."""
    if row.totals or now > row.started_at + HOOKS_TIMEOUT_US:
        return False
    api = find_store_api(db, row.store_id)
    if api is None or not api.registers:
        return False
    return api.audited_at is None or any(one.is_fixable for one in list_findings(db, row.store_id))
