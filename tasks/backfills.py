"""Backfills: each step reads a few pages and schedules the next; a sweep resumes backfills whose step was lost."""

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
from tasks.delayed_actions import run_later
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

SECOND_US = 1_000_000
MAX_TIMER_US = 5 * SECOND_US  # steps that are due later are left to the sweep
OVERDUE_AFTER_US = SECOND_US // 5  # a step this late was lost, with the process that had scheduled it
SWEEP_AHEAD_US = SECOND_US  # a sweep covers the steps that become overdue before the next sweep

PTTL_NO_KEY = -2  # Redis's reply to PTTL for a key that does not exist
LEASE_MARGIN_MS = 10  # waited after a lease should have expired


@task("backfills.step")
def step(backfill_id: int, planned_at: int) -> None:
    """Run steps until one has to wait, and schedule that one."""
    context = get_process_context()
    result = run_steps(context, backfill_id, planned_at)
    log.debug("backfill stepped", backfill=backfill_id, pages=result.pages)
    if result.error:
        log.warning("a backfill must wait", backfill=backfill_id, store=result.store_id, reason=result.error)
    if result.resume_at is not None and (wait := result.resume_at - context.now()) <= MAX_TIMER_US:
        run_later(wait / SECOND_US, partial(_schedule, backfill_id, result.resume_at))


@task("backfills.sweep")
def sweep() -> None:
    """Resume every backfill whose next step is overdue, or will be before the next sweep."""
    context = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(context.engine) as conn:
        due = list_due_steps(conn, context.now() + SWEEP_AHEAD_US - OVERDUE_AFTER_US)
    for backfill_id, planned_at in due:
        wait = planned_at + OVERDUE_AFTER_US - context.now()
        run_later(wait / SECOND_US, partial(_resume, backfill_id, planned_at))


@task("backfills.daily")
def daily() -> None:
    """Start the daily pass of every store whose last pass is a day old."""
    context = get_process_context()
    for store_id in start_due_backfills(context.engine, context.now()):
        log.info("daily pass started", store=store_id)


def _resume(backfill_id: int, planned_at: int, *, may_wait: bool = True) -> None:
    """Schedule the step again unless it was taken, or waits for a lease that a killed worker may have left."""
    context = get_process_context()
    with reading(context.engine) as conn:
        row = get_backfill(conn, backfill_id)
    if row is None or row.next_step_at != planned_at:
        return
    ttl_ms: Any = context.redis.pttl(redis_keys.backfill_lease(backfill_id))
    if ttl_ms == PTTL_NO_KEY:
        _schedule(backfill_id, planned_at)
    elif may_wait:
        run_later((ttl_ms + LEASE_MARGIN_MS) / 1_000, partial(_resume, backfill_id, planned_at, may_wait=False))


def _schedule(backfill_id: int, planned_at: int) -> None:
    arguments = (backfill_id, planned_at)
    step.apply_async(arguments, argsrepr=f"({backfill_id}, {planned_at})", expires=30)
