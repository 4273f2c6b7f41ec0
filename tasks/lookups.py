"""Look-ups in stores' APIs: at once for what a batch of hooks lacks, and every two seconds for all that is due."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import structlog

from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.lookups import list_due_stores
from pipeline.lookups.asked import answer_request, take_requests
from pipeline.lookups.run import run_lookups
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.delayed_actions import run_later
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled
from tasks.worker.base import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

MAX_TIMER_S = 5.0  # look-ups that are due later are left to the sweep


@task("lookups.run")
def run_store(store_id: int) -> None:
    """Ask a store's API until nothing is due or the budget is used up, and schedule the rest."""
    result = run_lookups(get_process_context(), store_id)
    if result.error:
        log.warning("look-ups of a store must wait", store=store_id, reason=result.error)
    if result.resume_in_s is not None and result.resume_in_s <= MAX_TIMER_S:
        run_later(result.resume_in_s, partial(_start, store_id))


@task("lookups.sweep")
def sweep() -> None:
    """Start every store with a look-up that is due, and ask what readers of the pages want to know."""
    context = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    for event_id in take_requests(context.redis):
        _ask(event_id)
    with reading(context.engine) as conn:
        due = list_due_stores(conn, context.now())
    for store_id in due:
        if not context.redis.exists(redis_keys.lookups_lease(store_id)):
            _start(store_id)


@task("lookups.ask")
def ask(event_id: int) -> None:
    """Ask a store's API what it says now about the object of an event, as soon as the store's budget allows it."""
    wait_s = answer_request(get_process_context(), event_id)
    if wait_s is not None:
        run_later(min(wait_s, MAX_TIMER_S), partial(_ask, event_id))


def _ask(event_id: int) -> None:
    ask.apply_async((event_id,), argsrepr=f"({event_id},)", expires=60)


def wake_lookups(store_ids: Iterable[int]) -> None:
    """Start these stores now. A message that cannot be sent is left to the sweep: hooks never wait for it."""
    with suppress(*UNAVAILABLE_ERRORS):
        for store_id in sorted(store_ids):
            _start(store_id)


def _start(store_id: int) -> None:
    run_store.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)
