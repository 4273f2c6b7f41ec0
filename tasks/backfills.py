"""Reads stores' customers, a few pages a task: a chain of steps per backfill, and a sweep that finds a broken chain."""

from __future__ import annotations

import os
import time
from functools import partial
from random import Random
from typing import Any

import structlog

from pipeline import keys
from pipeline.backfill.daily import begin_due
from pipeline.backfill.means import Means
from pipeline.backfill.stepping import take_steps
from pipeline.cratejoy.opening import open_store
from pipeline.http import outside
from pipeline.ledger.backfills import due_steps, get_backfill
from pipeline.ledger.engine import reading
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.later import later
from tasks.process import Process, this_process
from tasks.waiting import nobody_takes

log = structlog.get_logger(__name__)

SECOND = 1_000_000
SOON = 5 * SECOND  # a step that is due later than this is left to the sweep
OVERDUE = SECOND // 5  # by then whoever had planned a step is gone
AHEAD = SECOND  # a sweep sees to what is overdue until the next one

NO_KEY = -2  # what Redis says of the time a key has left that is not there
LEASE_IS_OVER = 10  # ms after it should be


@task("backfills.step")
def step(backfill_id: int, planned_at: int) -> None:
    """Take steps, and have the next one taken when it is due."""
    here = this_process()
    stepped = take_steps(_means(here), backfill_id, planned_at)
    log.debug("backfill stepped", backfill=backfill_id, pages=stepped.pages)
    if stepped.trouble:
        log.warning("a backfill must wait", backfill=backfill_id, store=stepped.store_id, reason=stepped.trouble)
    if stepped.again_at is not None and (wait := stepped.again_at - here.now()) <= SOON:
        later(wait / SECOND, partial(_plan, backfill_id, stepped.again_at))


@task("backfills.sweep")
def sweep() -> None:
    """Go on with every backfill whose next step nobody takes, as soon as that shows."""
    here = this_process()
    if nobody_takes(app, BACKFILL):
        return
    with reading(here.engine) as db:
        due = due_steps(db, here.now() + AHEAD - OVERDUE)
    for backfill_id, planned_at in due:
        later((planned_at + OVERDUE - here.now()) / SECOND, partial(_resume, backfill_id, planned_at))


@task("backfills.daily")
def daily() -> None:
    """Begin the daily pass of every store whose last one is a day old."""
    here = this_process()
    for store_id in begin_due(here.engine, here.now()):
        log.info("the daily pass begins", store=store_id)


def _resume(backfill_id: int, planned_at: int, *, waits: bool = True) -> None:
    """Plan the step again unless somebody has been at it, or is. A killed worker holds its lease for a moment more."""
    here = this_process()
    with reading(here.engine) as db:
        row = get_backfill(db, backfill_id)
    if row is None or row.next_step_at != planned_at:
        return
    held: Any = here.redis.pttl(keys.backfill_lease(backfill_id))
    if held == NO_KEY:
        _plan(backfill_id, planned_at)
    elif waits:
        later((held + LEASE_IS_OVER) / 1_000, partial(_resume, backfill_id, planned_at, waits=False))


def _plan(backfill_id: int, planned_at: int) -> None:
    arguments = (backfill_id, planned_at)
    step.apply_async(arguments, argsrepr=f"({backfill_id}, {planned_at})", expires=30)


def _means(here: Process) -> Means:
    settings = here.settings
    rng = Random(f"{os.getpid()}{time.time_ns()}{os.urandom(8).hex()}")  # noqa: S311 back-off jitter and lease names
    http, rate = outside(anywhere=settings.connect_anywhere), settings.cratejoy_rate
    api = partial(open_store, here.engine, here.redis, settings.secret_keys, http=http, per_second=rate)
    return Means(here.engine, here.redis, api, here.now, rng)
