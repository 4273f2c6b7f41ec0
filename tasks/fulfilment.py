"""The fulfilment: a sweep starts every lane that has something to do, and hooks hint at shipments to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.fulfilment.run import LaneRun, look_at_hinted, run_lane
from pipeline.fulfilment.schedule import Intervals, Lane, list_due_lanes
from pipeline.fulfilment.work_turns import name_lane, take_turn
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.personal import purge_payloads
from pipeline.ledger.fulfilment.runs import delete_old_runs
from pipeline.ledger.fulfilment.warehouses import find_warehouse, list_warehouses
from pipeline.ledger.fulfilment.work import list_due_work, tidy_work
from tasks.app import app, task
from tasks.config import FULFILMENT
from tasks.delayed_actions import run_later
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled
from tasks.worker.base import UNAVAILABLE_ERRORS

log = structlog.get_logger(__name__)

MAX_TIMER_S = 5.0  # lanes that are due later are left to the sweep
RUNS_KEPT_US = 30 * 86_400 * 1_000_000
PURGE_SLICE = 500  # boxes in one transaction
MAX_HINTS = 200  # in one message


@task("fulfilment.pull_shipments")
def pull_shipments(store_id: int, lane: Lane) -> None:
    """Search a store's boxes of one billing type."""
    _work(store_id, lane)


@task("fulfilment.pull_cancels")
def pull_cancels(store_id: int) -> None:
    """Look at boxes that were cancelled, and read open ones again."""
    _work(store_id, "cancels")


@task("fulfilment.deliver")
def deliver(store_id: int) -> None:
    """Give boxes to the warehouse, and look up those whose outcome is not known."""
    _work(store_id, "deliver")


@task("fulfilment.poll_tracking")
def poll_tracking(store_id: int) -> None:
    """Ask the warehouse what has left."""
    _work(store_id, "tracking")


@task("fulfilment.confirm")
def confirm(store_id: int) -> None:
    """Write tracking to Cratejoy, and acknowledge it at the warehouse."""
    _work(store_id, "confirm")


@task("fulfilment.work")
def work(store_id: int, work_id: int) -> None:
    """Take a turn at what a person has asked for: a forecast, a freeze, an export or an import."""
    result = take_turn(get_process_context(), store_id, work_id)
    if result.resume_in_s is not None and result.resume_in_s <= MAX_TIMER_S:
        run_later(result.resume_in_s, partial(_start_work, store_id, work_id))
    _report(store_id, name_lane(work_id), result)


@task("fulfilment.look_at")
def look_at(store_id: int, hints: list[list[Any]], since: int) -> None:
    """Read the shipments that hooks have hinted at since then (µs): pairs of a kind and a number."""
    result = look_at_hinted(get_process_context(), store_id, [(kind, number) for kind, number in hints], since)
    if result.resume_in_s is not None:
        run_later(min(result.resume_in_s, MAX_TIMER_S), partial(_hint, store_id, hints, since))
    _report(store_id, "hints", result)


@task("fulfilment.sweep")
def sweep() -> None:
    """Start every lane that has something to do and that no worker has."""
    context = get_process_context()
    if is_stalled(app, FULFILMENT):
        return
    with reading(context.engine) as conn:
        now = context.now()
        due, asked = find_due(context, conn, now), list_due_work(conn, now)
    for store_id, lane in due:
        if not context.redis.exists(redis_keys.fulfilment_lease(store_id, lane)):
            _start(store_id, lane)
    for store_id, work_id in asked:
        if not context.redis.exists(redis_keys.fulfilment_lease(store_id, name_lane(work_id))):
            _start_work(store_id, work_id)


def find_due(context: Context, conn: Connection, now: int) -> list[tuple[int, Lane]]:
    """Return the lanes of every store that have something to do."""
    every = Intervals.of(context.settings)
    return [(row.store_id, lane) for row in list_warehouses(conn) for lane in list_due_lanes(conn, row, now, every)]


@task("fulfilment.tidy")
def tidy() -> None:
    """Empty the names and addresses of boxes that are finished for long, and delete old runs and work."""
    context = get_process_context()
    purged = PURGE_SLICE
    while purged == PURGE_SLICE:
        with writing(context.engine) as conn:
            purged = purge_payloads(conn, context.now(), PURGE_SLICE)
    with writing(context.engine) as conn:
        delete_old_runs(conn, context.now() - RUNS_KEPT_US)
        tidy_work(conn, context.now())


def wake_fulfilment(hints: Iterable[tuple[int, str, int]]) -> None:
    """Have these looked at: (store, kind, number). A message that cannot be sent costs minutes: lists show all."""
    by_store: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for store_id, kind, number in sorted(set(hints)):
        by_store[store_id].append([kind, number])
    if not by_store:
        return
    since = get_process_context().now()
    with suppress(*UNAVAILABLE_ERRORS):
        for store_id, found in by_store.items():
            for start in range(0, len(found), MAX_HINTS):
                _hint(store_id, found[start : start + MAX_HINTS], since)


def _work(store_id: int, lane: Lane) -> None:
    """Work on the lane if it is due still: sweeps send a message each, while the worker has not come to the first."""
    context = get_process_context()
    with reading(context.engine) as conn:
        row = find_warehouse(conn, store_id)
        if row is None or lane not in list_due_lanes(conn, row, context.now(), Intervals.of(context.settings)):
            return
    result = run_lane(context, store_id, lane)
    if result.resume_in_s is not None and result.resume_in_s <= MAX_TIMER_S:
        run_later(result.resume_in_s, partial(_start, store_id, lane))
    _report(store_id, lane, result)


def _report(store_id: int, lane: str, result: LaneRun) -> None:
    if result.error:
        log.warning("a part of the fulfilment must wait", store=store_id, lane=lane, reason=result.error)


_BY_LANE = {"cancels": pull_cancels, "deliver": deliver, "tracking": poll_tracking, "confirm": confirm}


def _start(store_id: int, lane: Lane) -> None:
    sent, arguments = (_BY_LANE[lane], (store_id,)) if lane in _BY_LANE else (pull_shipments, (store_id, lane))
    sent.apply_async(arguments, argsrepr=repr(arguments), expires=30)


def _start_work(store_id: int, work_id: int) -> None:
    work.apply_async((store_id, work_id), argsrepr=f"({store_id}, {work_id})", expires=30)


def _hint(store_id: int, hints: list[list[Any]], since: int) -> None:
    look_at.apply_async((store_id, hints, since), argsrepr=f"({store_id}, {len(hints)} hints)", expires=600)
