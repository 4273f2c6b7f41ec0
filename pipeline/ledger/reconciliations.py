"""Progress of reconciliation: how far each collection of a store's API has been compared with the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, insert, select, update

from pipeline.core.errors import StaleFence
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.store_apis import ACTIVE


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    """One collection of one store; the columns are explained in the schema."""

    store_id: int
    collection: str
    since: int
    mark: int
    floor: int | None
    high: int | None
    next_at: int
    began_at: int | None
    cursor: str | None
    pages: int
    barren: int
    visited: list[int]
    reached: int
    unreadable: int
    renewals_told: bool
    done_at: int | None
    tally: dict[str, Any] | None
    error: str | None


def create_missing_reconciliations(conn: Connection, collections: Sequence[str], after: int, now: int) -> None:
    """Create a row per collection for every store with saved keys, due `after` µs from when it was connected.

    For a store that has removed its hooks, `since` moves along with `now`: events from before it registers them again
    are ignored.
    """
    has_keys = exists().where(StoreAPI.store_id == Reconciliation.store_id)
    conn.execute(delete(Reconciliation).where(~has_keys))
    without_hooks = exists().where(StoreAPI.store_id == Reconciliation.store_id, ~StoreAPI.registers)
    conn.execute(update(Reconciliation).where(without_hooks).values(_initial_values(now, now + after)))
    known = {(row.store_id, row.collection) for row in conn.execute(select(*_KEY_COLUMNS))}
    stores = conn.execute(select(StoreAPI.store_id, StoreAPI.enabled_at)).all()
    missing = [(api, name) for api in stores for name in collections if (api.store_id, name) not in known]
    rows = [
        {"store_id": api.store_id, "collection": name}
        | _initial_values(api.enabled_at, max(now, api.enabled_at + after))
        for api, name in missing
    ]
    if rows:
        conn.execute(insert(Reconciliation), rows)


def list_due_stores(conn: Connection, now: int) -> list[int]:
    """The stores with a page due now. Stores with refused keys are left out: only the hook audit tries those."""
    usable = and_(StoreAPI.store_id == Reconciliation.store_id, StoreAPI.registers, StoreAPI.status == ACTIVE)
    due = select(Reconciliation.store_id).where(Reconciliation.next_at <= now, exists().where(usable)).distinct()
    return list(conn.execute(due.order_by(Reconciliation.store_id)).scalars())


def load_reconciliations(conn: Connection, store_id: int) -> list[ReconciliationRow]:
    """All collections of a store."""
    query = select(Reconciliation.__table__).where(Reconciliation.store_id == store_id)
    return [ReconciliationRow(**row._asdict()) for row in conn.execute(query.order_by(Reconciliation.collection))]


def request_pass(conn: Connection, store_id: int, now: int) -> None:
    """Make a pass over every collection due now; a pass that is running continues."""
    conn.execute(update(Reconciliation).where(Reconciliation.store_id == store_id).values(next_at=now, error=None))


def postpone_store(conn: Connection, store_id: int, until: int) -> None:
    """Request no page of this store before `until`."""
    sooner = Reconciliation.store_id == store_id, Reconciliation.next_at < until
    conn.execute(update(Reconciliation).where(*sooner).values(next_at=until))


def update_reconciliation(conn: Connection, row: ReconciliationRow, **values: Any) -> None:
    """Save the result of a step. Raise StaleFence if another step has changed the row since it was read."""
    key = Reconciliation.store_id == row.store_id, Reconciliation.collection == row.collection
    same_pass = Reconciliation.began_at.is_not_distinct_from(row.began_at), Reconciliation.pages == row.pages
    same_last = Reconciliation.done_at.is_not_distinct_from(row.done_at)
    if conn.execute(update(Reconciliation).where(*key, *same_pass, same_last).values(values)).rowcount == 0:
        raise StaleFence(f"store {row.store_id}: another step has read these {row.collection}")


def set_record_only_since(conn: Connection, store_id: int, record_only_since: int | None) -> None:
    """Forward recovered events (None), or only record those recovered from then on (µs)."""
    conn.execute(update(Store).where(Store.id == store_id).values(record_only_since=record_only_since))


def collect_errors(rows: Iterable[ReconciliationRow]) -> dict[str, str]:
    """Collection -> why its last pass did not finish."""
    return {row.collection: row.error for row in rows if row.error}


_KEY_COLUMNS = (Reconciliation.store_id, Reconciliation.collection)


def _initial_values(since: int, next_at: int) -> dict[str, Any]:
    """The columns of a row that has read nothing yet."""
    counts = dict.fromkeys(("pages", "barren", "reached", "unreadable"), 0)
    unknown = dict.fromkeys(("floor", "high", "began_at", "cursor", "done_at", "tally", "error"))
    return {"since": since, "mark": since, "next_at": next_at, "visited": [], "renewals_told": False} | counts | unknown
