"""Compares stores' APIs with the ledger: every hour, and at once when somebody asks for it."""

from __future__ import annotations

import structlog

from pipeline import keys
from pipeline.errors import CratewireError
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import begin_new, due_stores
from pipeline.reconciliation.asking import COLLECTIONS
from pipeline.reconciliation.counting import count_run
from pipeline.reconciliation.means import SECOND, means_of, times_of
from pipeline.reconciliation.passing import is_behind, reconcile
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.deliveries import forward
from tasks.process import this_process
from tasks.waiting import nobody_takes

log = structlog.get_logger(__name__)

SETTLED = 120 * SECOND  # after a store was connected: its hooks are registered first


@task("reconciliation.tidy")
def tidy() -> None:
    """Take up stores that were connected, and let go of those that were disconnected."""
    here = this_process()
    with writing(here.engine) as db:
        begin_new(db, list(COLLECTIONS), SETTLED, here.now())


@task("reconciliation.sweep")
def sweep() -> None:
    """Go on with every store of which a page may be asked for."""
    here = this_process()
    now = here.now()
    if not times_of(here.settings).every or is_behind(here.redis, now) or nobody_takes(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = due_stores(db, now)
    for store_id in due:
        if not here.redis.exists(keys.reconciliation_lease(store_id)):
            run.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("reconciliation.run")
def run(store_id: int) -> None:
    """Compare one store for as long as its budget of requests allows. What goes wrong is in the ledger."""
    here = this_process()
    try:
        passed = reconcile(means_of(here), store_id)
    except CratewireError as error:
        log.warning("a store could not be compared with its API", store=store_id, reason=str(error))
        return
    count_run(passed)
    for collection, reason in passed.troubles.items():
        log.warning("a list of a store's API could not be read", store=store_id, list=collection, reason=reason)
    if passed.counts:
        counts = {f"{event} {state}": times for (event, state), times in sorted(passed.counts.items())}
        log.info("compared a store with its API", store=store_id, done=passed.done, shown=counts)
    if passed.connections:
        forward.apply_async((sorted(passed.connections),))
