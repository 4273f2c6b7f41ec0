"""How far each collection of each store's API has been compared with the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, insert, select, update

from pipeline.errors import StaleFence
from pipeline.ledger.api_tables import StoreAPI
from pipeline.ledger.reconciliation_tables import Reconciliation
from pipeline.ledger.store_apis import ACTIVE
from pipeline.ledger.tables import Store


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


def begin_new(db: Connection, collections: Sequence[str], after: int, now: int) -> None:
    """Give every store whose keys we have a row per collection, due `after` µs from when it was connected.

    A store that has removed its hooks wants to hear of nothing until it takes them up again: what happens meanwhile
    is none of our concern, so the beginning moves along.
    """
    has_keys = exists().where(StoreAPI.store_id == Reconciliation.store_id)
    db.execute(delete(Reconciliation).where(~has_keys))
    silent = exists().where(StoreAPI.store_id == Reconciliation.store_id, ~StoreAPI.registers)
    db.execute(update(Reconciliation).where(silent).values(_anew(now, now + after)))
    known = {(row.store_id, row.collection) for row in db.execute(select(*_PLACE))}
    stores = db.execute(select(StoreAPI.store_id, StoreAPI.enabled_at)).all()
    missing = [(api, name) for api in stores for name in collections if (api.store_id, name) not in known]
    rows = [
        {"store_id": api.store_id, "collection": name} | _anew(api.enabled_at, max(now, api.enabled_at + after))
        for api, name in missing
    ]
    if rows:
        db.execute(insert(Reconciliation), rows)


def due_stores(db: Connection, now: int) -> list[int]:
    """The stores of which a page may be asked for now. Refused keys are tried by the audit of the hooks alone."""
    usable = and_(StoreAPI.store_id == Reconciliation.store_id, StoreAPI.registers, StoreAPI.status == ACTIVE)
    due = select(Reconciliation.store_id).where(Reconciliation.next_at <= now, exists().where(usable)).distinct()
    return list(db.execute(due.order_by(Reconciliation.store_id)).scalars())


def rows_of(db: Connection, store_id: int) -> list[ReconciliationRow]:
    """All collections of a store."""
    query = select(Reconciliation.__table__).where(Reconciliation.store_id == store_id)
    return [ReconciliationRow(**row._asdict()) for row in db.execute(query.order_by(Reconciliation.collection))]


def ask_for_pass(db: Connection, store_id: int, now: int) -> None:
    """Have every collection compared now; a pass that is under way goes on."""
    db.execute(update(Reconciliation).where(Reconciliation.store_id == store_id).values(next_at=now, error=None))


def postpone(db: Connection, store_id: int, until: int) -> None:
    """Nothing of this store is asked before then."""
    sooner = Reconciliation.store_id == store_id, Reconciliation.next_at < until
    db.execute(update(Reconciliation).where(*sooner).values(next_at=until))


def change(db: Connection, row: ReconciliationRow, **values: Any) -> None:
    """Write what a step has brought. Raise StaleFence if another step has been here since `row` was read."""
    place = Reconciliation.store_id == row.store_id, Reconciliation.collection == row.collection
    pass_ = Reconciliation.began_at.is_not_distinct_from(row.began_at), Reconciliation.pages == row.pages
    last = Reconciliation.done_at.is_not_distinct_from(row.done_at)
    if db.execute(update(Reconciliation).where(*place, *pass_, last).values(values)).rowcount == 0:
        raise StaleFence(f"store {row.store_id}: another step has read these {row.collection}")


def set_mode(db: Connection, store_id: int, record_only_since: int | None) -> None:
    """Forward what is recovered (None), or only record it."""
    db.execute(update(Store).where(Store.id == store_id).values(record_only_since=record_only_since))


def errors_of(rows: Iterable[ReconciliationRow]) -> dict[str, str]:
    """Collection -> why its last pass did not come to its end."""
    return {row.collection: row.error for row in rows if row.error}


_PLACE = (Reconciliation.store_id, Reconciliation.collection)


def _anew(since: int, next_at: int) -> dict[str, Any]:
    """A row of which nothing is known yet."""
    counts = dict.fromkeys(("pages", "barren", "reached", "unreadable"), 0)
    unknown = dict.fromkeys(("floor", "high", "began_at", "cursor", "done_at", "tally", "error"))
    return {"since": since, "mark": since, "next_at": next_at, "visited": [], "renewals_told": False} | counts | unknown
