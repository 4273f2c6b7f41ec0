"""Compares stores' APIs with the ledger: every hour, and at once when somebody asks for it."""

from __future__ import annotations

import structlog

from pipeline.core.errors import CratewireError
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import create_missing_reconciliations, list_due_stores
from pipeline.reconciliation.collections import COLLECTIONS
from pipeline.reconciliation.metrics import count_run
from pipeline.reconciliation.page import SECOND_US
from pipeline.reconciliation.run import is_inbox_behind, reconcile
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.deliveries import forward
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

FIRST_RUN_DELAY_US = 120 * SECOND_US  # after a store was connected: its hooks are registered first


@task("reconciliation.tidy")
def tidy() -> None:
    """Take up stores that were connected, and let go of those that were disconnected."""
    here = get_process_context()
    with writing(here.engine) as db:
        create_missing_reconciliations(db, list(COLLECTIONS), FIRST_RUN_DELAY_US, here.now())


@task("reconciliation.sweep")
def sweep() -> None:
    """Go on with every store of which a page may be asked for."""
    here = get_process_context()
    now = here.now()
    if not here.settings.reconcile_seconds or is_inbox_behind(here.redis, now) or is_stalled(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = list_due_stores(db, now)
    for store_id in due:
        if not here.redis.exists(redis_keys.reconciliation_lease(store_id)):
            reconcile_store.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("reconciliation.run")
def reconcile_store(store_id: int) -> None:
    """Compare one store for as long as its budget of requests allows. What goes wrong is in the ledger."""
    here = get_process_context()
    try:
        passed = reconcile(here, store_id)
    except CratewireError as error:
        log.warning("a store could not be compared with its API", store=store_id, reason=str(error))
        return
    count_run(passed)
    for collection, reason in passed.errors.items():
        log.warning("a list of a store's API could not be read", store=store_id, list=collection, reason=reason)
    if passed.counts:
        counts = {f"{event} {state}": times for (event, state), times in sorted(passed.counts.items())}
        log.info("compared a store with its API", store=store_id, done=passed.done, shown=counts)
    if passed.connections:
        forward.apply_async((sorted(passed.connections),))
