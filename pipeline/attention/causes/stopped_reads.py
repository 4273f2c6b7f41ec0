"""Reading a store's API has stopped: not all customers were read, or events are no longer compared with hooks."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.backfills import DONE, FAILED, RUNNING, SHORT, BackfillRow
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import MERCHANT, OPERATOR
from pipeline.ledger.queries import load_newest_backfills
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.store_apis import ACTIVE

BACKFILL, RECONCILIATION = "backfill_stopped", "reconciliation_stopped"
OVERDUE_US = 300_000_000
MIN_STOPPED_US = 3 * 3_600_000_000  # after several passes that failed
MAX_AGE_US = 7 * 86_400_000_000


def _find_stopped_backfills(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as conn:
        for store, row in load_newest_backfills(conn).items():
            if item := _build_backfill_item(store, row, now):
                yield item


def _build_backfill_item(store: str, row: BackfillRow, now: int) -> AttentionItem | None:
    if row.state == RUNNING and row.next_step_at < now - OVERDUE_US:
        headline, effect = f"{store}: the reading of its customers stands still", "Customers from before are missing."
        to_do = "Does the worker named backfill run? Its log says what stops it."
        return AttentionItem(BACKFILL, store, OPERATOR, headline, effect, to_do, row.next_step_at, store, row.store_id)
    if row.state not in (FAILED, DONE, SHORT) or row.error is None or (row.ended_at or now) < now - MAX_AGE_US:
        return None
    is_given_up = row.state == FAILED
    headline = (
        f"{store}: {'reading its customers was given up' if is_given_up else 'not all of its customers were read'}"
    )
    effect = "Customers from before Cratewire are missing; hooks go on."
    to_do = f"`cratewire backfill start --store {store}` reads them again."
    since, tried = row.ended_at or row.started_at, (f"{row.error}.",)
    return AttentionItem(
        *(BACKFILL, store, MERCHANT, headline, effect, to_do, since, store, row.store_id, tried, row.error),
        worse_at=since,
    )


def _find_stopped_reconciliations(context: Context) -> Iterator[AttentionItem]:
    """Stores whose keys are refused have an item of their own, and none here."""
    now = context.now()
    if not context.settings.reconcile_seconds:
        return
    max_age_us = max(MIN_STOPPED_US, round(3 * context.settings.reconcile_seconds * 1_000_000))
    row = Reconciliation
    columns = (Store.id, Store.name, row.collection, row.since, row.done_at, row.error)
    query = select(*columns).join(Store, Store.id == row.store_id).join(StoreAPI, StoreAPI.store_id == Store.id)
    is_usable = StoreAPI.status == ACTIVE, StoreAPI.registers
    items: dict[str, AttentionItem] = {}
    with reading(context.engine) as conn:
        for store_id, store, collection, since, done_at, error in conn.execute(
            query.where(*is_usable).order_by(Store.name)
        ):
            last = max(since, done_at or 0)
            if last < now - max_age_us and store not in items:
                headline = f"{store}: its API has not been compared with its hooks for hours ({collection})"
                effect = "Events whose hooks never arrived are not found."
                to_do = f"`cratewire reconcile run --store {store}` tries now and says what stops it."
                tried = (f"{error}.",) if error else ()
                items[store] = AttentionItem(
                    *(RECONCILIATION, store, OPERATOR, headline, effect, to_do, last, store, store_id, tried, error)
                )
    yield from items.values()


BACKFILL_CAUSE, RECONCILIATION_CAUSE = (
    Cause(BACKFILL, _find_stopped_backfills),
    Cause(RECONCILIATION, _find_stopped_reconciliations),
)
