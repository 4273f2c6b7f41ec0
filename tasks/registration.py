"""Tends the hooks registered at Cratejoy: every few minutes for every store, and at once when somebody asks for it."""

from __future__ import annotations

import structlog

from pipeline.core.errors import CratewireError
from pipeline.hook_registration.sync import sync_hooks as tend_store
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
    """Start every audit that is due."""
    here = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = list_due_audits(db, here.now())
    for store_id in due:
        if not here.redis.exists(
            redis_keys.registration_lease(store_id)
        ):  # whoever holds it writes down what comes next
            sync_hooks.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("registration.tend")
def sync_hooks(store_id: int) -> None:
    """One pass over one store's hooks. What goes wrong is in the ledger, with the time of the next try."""
    try:
        tended = tend_store(get_process_context(), store_id)
    except CratewireError as error:
        log.warning("the hooks at Cratejoy could not be tended", store=store_id, reason=str(error))
        return
    log.info("tended the hooks at Cratejoy", store=store_id, done=tended.done, wait=tended.wait)
