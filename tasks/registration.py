"""Tends the hooks registered at Cratejoy: every few minutes for every store, and at once when somebody asks for it."""

from __future__ import annotations

import structlog

from pipeline import keys
from pipeline.errors import CratewireError
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import due_audits
from pipeline.registration.care import care_of
from pipeline.registration.tending import tend as tend_store
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import this_process
from tasks.waiting import nobody_takes

log = structlog.get_logger(__name__)


@task("registration.sweep")
def sweep() -> None:
    """Start every audit that is due."""
    here = this_process()
    if nobody_takes(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = due_audits(db, here.now())
    for store_id in due:
        if not here.redis.exists(keys.registration_lease(store_id)):  # whoever holds it writes down what comes next
            tend.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("registration.tend")
def tend(store_id: int) -> None:
    """One pass over one store's hooks. What goes wrong is in the ledger, with the time of the next try."""
    try:
        tended = tend_store(care_of(this_process()), store_id)
    except CratewireError as error:
        log.warning("the hooks at Cratejoy could not be tended", store=store_id, reason=str(error))
        return
    log.info("tended the hooks at Cratejoy", store=store_id, done=tended.done, wait=tended.wait)
