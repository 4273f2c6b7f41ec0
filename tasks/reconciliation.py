"""Compares stores' APIs with the ledger: every hour, and at once on request."""

from __future__ import annotations

import structlog

from pipeline.core.errors import CratewireError
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import create_missing_reconciliations, list_due_stores
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.page import SECOND_US
from pipeline.reconciliation.run import ReconciliationResult, count_run, is_inbox_behind, reconcile
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.deliveries import forward
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

FIRST_RUN_DELAY_US = 120 * SECOND_US  # after a store is connected, so that its hooks are registered first


@task("reconciliation.tidy")
def tidy() -> None:
    """Schedule reconciliation of newly connected stores, and drop that of disconnected ones."""
    context = get_process_context()
    with writing(context.engine) as conn:
        create_missing_reconciliations(conn, list(COLLECTIONS), FIRST_RUN_DELAY_US, context.now())


@task("reconciliation.sweep")
def sweep() -> None:
    """Start every store that is due."""
    context = get_process_context()
    now = context.now()
    if not context.settings.reconcile_seconds or is_inbox_behind(context.redis, now) or is_stalled(app, BACKFILL):
        return
    with reading(context.engine) as conn:
        due = list_due_stores(conn, now)
    for store_id in due:
        if not context.redis.exists(redis_keys.reconciliation_lease(store_id)):
            reconcile_store.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("reconciliation.run")
def reconcile_store(store_id: int) -> None:
    """Compare one store for as long as its request budget allows. Errors are recorded in the ledger."""
    try:
        result = reconcile(get_process_context(), store_id)
    except CratewireError as error:
        log.warning("a store could not be compared with its API", store=store_id, reason=str(error))
        return
    count_run(result)
    _log_result(store_id, result)
    if result.connections:
        forward.apply_async((sorted(result.connections),))


def _log_result(store_id: int, result: ReconciliationResult) -> None:
    for collection, reason in result.errors.items():
        log.warning("a list of a store's API could not be read", store=store_id, list=collection, reason=reason)
    if result.counts:
        counts = {f"{event} {state}": times for (event, state), times in sorted(result.counts.items())}
        log.info("compared a store with its API", store=store_id, done=result.done, shown=counts)
