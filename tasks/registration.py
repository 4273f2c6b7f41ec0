"""Tends the hooks registered at Cratejoy: once an hour for every store, and at once when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog
from redis import Redis
from sqlalchemy import Engine

from pipeline import keys
from pipeline.cratejoy.opening import open_with
from pipeline.errors import CratewireError
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import due_audits
from pipeline.registration.care import Care
from pipeline.registration.tending import tend as tend_store
from pipeline.settings import Settings
from tasks.app import task
from tasks.config import BACKFILL
from tasks.process import this_process

log = structlog.get_logger(__name__)


@task("registration.sweep")
def sweep() -> None:
    """Start every audit that is due."""
    here = this_process()
    with reading(here.engine) as db:
        due = due_audits(db, here.now())
    for store_id in due:
        if not here.redis.exists(keys.registration_lease(store_id)):  # whoever holds it writes down what comes next
            tend.apply_async((store_id,), queue=BACKFILL, argsrepr=f"({store_id},)", expires=30)


@task("registration.tend")
def tend(store_id: int) -> None:
    """One pass over one store's hooks. What goes wrong is in the ledger, with the time of the next try."""
    try:
        tended = tend_store(care_of(this_process()), store_id)
    except CratewireError as error:
        log.warning("the hooks at Cratejoy could not be tended", store=store_id, reason=str(error))
        return
    log.info("tended the hooks at Cratejoy", store=store_id, done=tended.done, wait=tended.wait)


class Here(Protocol):
    """A process, or a command, with everything open."""

    @property
    def settings(self) -> Settings: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def redis(self) -> Redis: ...
    @property
    def now(self) -> Callable[[], int]: ...


def care_of(here: Here) -> Care:
    """What tending needs of it."""
    settings = here.settings
    open_api = partial(open_with, redis=here.redis, per_second=settings.cratejoy_rate, urgent=True)
    return Care(here.engine, here.redis, settings.secret_keys, settings.public_url, open_api, here.now)
