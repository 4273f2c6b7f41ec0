"""How far each collection of each store's API has been compared with the ledger."""

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
    """One collection of one store; the table says what the columns mean."""

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
    """Give every store whose keys we have a row per collection, due `after` µs from when it was connected.

    A store that has removed its hooks wants to hear of nothing until it takes them up again: what happens meanwhile
    is none of our concern, so the beginning moves along.
    """
    has_keys = exists().where(StoreAPI.store_id == Reconciliation.store_id)
    conn.execute(delete(Reconciliation).where(~has_keys))
    silent = exists().where(StoreAPI.store_id == Reconciliation.store_id, ~StoreAPI.registers)
    conn.execute(update(Reconciliation).where(silent).values(_fresh_values(now, now + after)))
    known = {(row.store_id, row.collection) for row in conn.execute(select(*_KEY_COLUMNS))}
    stores = conn.execute(select(StoreAPI.store_id, StoreAPI.enabled_at)).all()
    missing = [(api, name) for api in stores for name in collections if (api.store_id, name) not in known]
    rows = [
        {"store_id": api.store_id, "collection": name} | _fresh_values(api.enabled_at, max(now, api.enabled_at + after))
        for api, name in missing
    ]
    if rows:
        conn.execute(insert(Reconciliation), rows)


def list_due_stores(conn: Connection, now: int) -> list[int]:
    """The stores of which a page may be asked for now. Refused keys are tried by the audit of the hooks alone."""
    usable = and_(StoreAPI.store_id == Reconciliation.store_id, StoreAPI.registers, StoreAPI.status == ACTIVE)
    due = select(Reconciliation.store_id).where(Reconciliation.next_at <= now, exists().where(usable)).distinct()
    return list(conn.execute(due.order_by(Reconciliation.store_id)).scalars())


def load_reconciliations(conn: Connection, store_id: int) -> list[ReconciliationRow]:
    """All collections of a store."""
    query = select(Reconciliation.__table__).where(Reconciliation.store_id == store_id)
    return [ReconciliationRow(**row._asdict()) for row in conn.execute(query.order_by(Reconciliation.collection))]


def request_pass(conn: Connection, store_id: int, now: int) -> None:
    """Have every collection compared now; a pass that is under way goes on."""
    conn.execute(update(Reconciliation).where(Reconciliation.store_id == store_id).values(next_at=now, error=None))


def postpone_store(conn: Connection, store_id: int, until: int) -> None:
    """Nothing of this store is asked before then."""
    sooner = Reconciliation.store_id == store_id, Reconciliation.next_at < until
    conn.execute(update(Reconciliation).where(*sooner).values(next_at=until))


def update_reconciliation(conn: Connection, row: ReconciliationRow, **values: Any) -> None:
    """Write what a step has brought. Raise StaleFence if another step has been here since `row` was read."""
    place = Reconciliation.store_id == row.store_id, Reconciliation.collection == row.collection
    pass_ = Reconciliation.began_at.is_not_distinct_from(row.began_at), Reconciliation.pages == row.pages
    last = Reconciliation.done_at.is_not_distinct_from(row.done_at)
    if conn.execute(update(Reconciliation).where(*place, *pass_, last).values(values)).rowcount == 0:
        raise StaleFence(f"store {row.store_id}: another step has read these {row.collection}")


def set_record_only_since(conn: Connection, store_id: int, record_only_since: int | None) -> None:
    """Forward what is recovered (None), or only record it."""
    conn.execute(update(Store).where(Store.id == store_id).values(record_only_since=record_only_since))


def collect_errors(rows: Iterable[ReconciliationRow]) -> dict[str, str]:
    """Collection -> why its last pass did not come to its end."""
    return {row.collection: row.error for row in rows if row.error}


_KEY_COLUMNS = (Reconciliation.store_id, Reconciliation.collection)


def _fresh_values(since: int, next_at: int) -> dict[str, Any]:
    """A row of which nothing is known yet."""
    counts = dict.fromkeys(("pages", "barren", "reached", "unreadable"), 0)
    unknown = dict.fromkeys(("floor", "high", "began_at", "cursor", "done_at", "tally", "error"))
    return {"since": since, "mark": since, "next_at": next_at, "visited": [], "renewals_told": False} | counts | unknown
