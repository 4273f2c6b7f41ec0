"""Syncs the hooks registered at Cratejoy: every few minutes for every store, and at once on request."""

from __future__ import annotations

import structlog

from pipeline.core.errors import CratewireError
from pipeline.hook_registration import sync
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import list_due_audits
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)


@task("registration.sweep")
def sweep() -> None:
    """Start the sync of every store that is due, unless one is running: that one schedules the next."""
    context = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(context.engine) as conn:
        due = list_due_audits(conn, context.now())
    for store_id in due:
        if not context.redis.exists(redis_keys.registration_lease(store_id)):
            sync_hooks.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("registration.tend")
def sync_hooks(store_id: int) -> None:
    """Sync one store's hooks. Errors are recorded in the ledger, with the time of the next attempt."""
    try:
        result = sync.sync_hooks(get_process_context(), store_id)
    except CratewireError as error:
        log.warning("the hooks at Cratejoy could not be tended", store=store_id, reason=str(error))
        return
    log.info("synced hooks at Cratejoy", store=store_id, done=result.done, wait=result.wait)
