"""Reads stores' customers, a few pages a task: a chain of steps per backfill, and a sweep that finds a broken chain."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog

from pipeline.backfill.run import run_steps
from pipeline.backfill.schedule import start_due_backfills
from pipeline.infra import redis_keys
from pipeline.ledger.backfills import get_backfill, list_due_steps
from pipeline.ledger.engine import reading
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import get_process_context
from tasks.retry_in_background import run_later
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

SECOND_US = 1_000_000
MAX_TIMER_US = 5 * SECOND_US  # a step that is due later than this is left to the sweep
OVERDUE_AFTER_US = SECOND_US // 5  # by then whoever had planned a step is gone
LOOK_AHEAD_US = SECOND_US  # a sweep sees to what is overdue until the next one

PTTL_NO_KEY = -2  # what Redis says of the time a key has left that is not there
LEASE_MARGIN_MS = 10  # ms after it should be


@task("backfills.step")
def step(backfill_id: int, planned_at: int) -> None:
    """Take steps, and have the next one taken when it is due."""
    here = get_process_context()
    stepped = run_steps(here, backfill_id, planned_at)
    log.debug("backfill stepped", backfill=backfill_id, pages=stepped.pages)
    if stepped.trouble:
        log.warning("a backfill must wait", backfill=backfill_id, store=stepped.store_id, reason=stepped.trouble)
    if stepped.resume_at is not None and (wait := stepped.resume_at - here.now()) <= MAX_TIMER_US:
        run_later(wait / SECOND_US, partial(_plan, backfill_id, stepped.resume_at))


@task("backfills.sweep")
def sweep() -> None:
    """Go on with every backfill whose next step nobody takes, as soon as that shows."""
    here = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = list_due_steps(db, here.now() + LOOK_AHEAD_US - OVERDUE_AFTER_US)
    for backfill_id, planned_at in due:
        run_later((planned_at + OVERDUE_AFTER_US - here.now()) / SECOND_US, partial(_resume, backfill_id, planned_at))


@task("backfills.daily")
def daily() -> None:
    """Begin the daily pass of every store whose last one is a day old."""
    here = get_process_context()
    for store_id in start_due_backfills(here.engine, here.now()):
        log.info("the daily pass begins", store=store_id)


def _resume(backfill_id: int, planned_at: int, *, waits: bool = True) -> None:
    """Plan the step again unless somebody has been at it, or is. A killed worker holds its lease for a moment more."""
    here = get_process_context()
    with reading(here.engine) as db:
        row = get_backfill(db, backfill_id)
    if row is None or row.next_step_at != planned_at:
        return
    held: Any = here.redis.pttl(redis_keys.backfill_lease(backfill_id))
    if held == PTTL_NO_KEY:
        _plan(backfill_id, planned_at)
    elif waits:
        run_later((held + LEASE_MARGIN_MS) / 1_000, partial(_resume, backfill_id, planned_at, waits=False))


def _plan(backfill_id: int, planned_at: int) -> None:
    arguments = (backfill_id, planned_at)
    step.apply_async(arguments, argsrepr=f"({backfill_id}, {planned_at})", expires=30)
