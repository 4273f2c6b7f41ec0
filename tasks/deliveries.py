"""Empties the lanes: after a batch for the connections it concerned, and every second for whatever is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from pipeline.context import Context
from pipeline.delivery.lane import run_lane
from pipeline.delivery.open_connection import LaneDeps
from pipeline.delivery.slow_lanes import LaneId, acquire_slot, count_free_slots, fast_lanes
from pipeline.infra import redis_keys
from pipeline.ledger.deliveries import list_due_lanes
from pipeline.ledger.engine import reading
from tasks.app import task
from tasks.lane_dependencies import build_lane_deps
from tasks.process import get_process_context
from tasks.worker.background_calls import MAX_BACKGROUND_CALLS, CallState, background_calls

log = structlog.get_logger(__name__)

MAX_RUN_S = 3.0  # how long a task stays at a lane before it lets others at the worker; no turn may run out meanwhile
MAX_SHARED_RUN_S = 0.3  # the same, where other lanes wait behind this one: what takes longer goes on alone
MAX_LANES_PER_MESSAGE = 10  # lanes in one message, if many are due: a message costs as much as delivering a lane's few
MIN_MESSAGES_PER_PROCESS = 4  # messages there shall be for each process before lanes share any
_US_PER_S = 1_000_000


@task("deliveries.forward")
def forward(connections: list[int]) -> None:
    """Wake the lanes of these connections. No task stays at a slow one while others wait behind it."""
    first, *others = _group_free_lanes(_find_due_lanes(connections)) or [[]]
    for lanes in others:
        _publish(lanes)
    run_lanes_task(first)  # the usual case, one connection, needs no further message


@task("deliveries.run_lane")
def run_lane_task(connection_id: int, lane: int) -> None:
    """Deliver one lane until it is empty, must wait, or time is up. A platform that keeps silent holds no process."""
    background_calls.run(run_lane_task.name, partial(_run_with_slot, (connection_id, lane), MAX_RUN_S))


@task("deliveries.run_lanes")
def run_lanes_task(lanes: Sequence[LaneId]) -> None:
    """Deliver lanes one after another. One that hangs, fails or has much to do keeps none of the others waiting."""
    waiting = deque((connection_id, lane) for connection_id, lane in lanes)
    seconds = MAX_SHARED_RUN_S if len(waiting) > 1 else MAX_RUN_S
    try:
        while waiting and background_calls.has_room():
            background_calls.run(run_lane_task.name, partial(_run_with_slot, waiting.popleft(), seconds))
    finally:
        for lane_id in waiting:
            _publish([lane_id])


@task("deliveries.sweep")
def sweep() -> None:
    """Start every lane that has something to do and may."""
    for lanes in _group_free_lanes(_find_due_lanes()):
        _publish(lanes)


def _group_free_lanes(due: Sequence[LaneId]) -> list[Sequence[LaneId]]:
    """Those that nobody holds, by the message; of those that may hang, as many as there are places for, and alone."""
    if not due:
        return []
    here = get_process_context()
    holders: Any = here.redis.mget([redis_keys.lane_lease(*lane) for lane in due])
    free = [lane for lane, holder in zip(due, holders, strict=True) if holder is None]  # a holder looks before leaving
    quick = fast_lanes(here.redis, free)
    others = [lane for lane in free if lane not in quick]
    room = count_free_slots(here.redis, _max_slow_lanes(here))
    some = here.rng.sample(others, min(len(others), room))
    return [*_split_lanes(sorted(quick), here.settings.workers), *([lane] for lane in some)]


def _split_lanes(lanes: Sequence[LaneId], processes: int) -> Iterator[Sequence[LaneId]]:
    """As many as shall share a message: few share none, for every process shall have something to do."""
    size = min(MAX_LANES_PER_MESSAGE, max(1, len(lanes) // (processes * MIN_MESSAGES_PER_PROCESS)))
    for start in range(0, len(lanes), size):
        yield lanes[start : start + size]


def _run_with_slot(lane_id: LaneId, seconds: float, calls: CallState) -> None:
    """One that may hang needs a place."""
    here = get_process_context()
    deps = replace(build_lane_deps(here), around_call=calls.one, should_yield=lambda: calls.left)
    if fast_lanes(here.redis, [lane_id]):
        _deliver(deps, lane_id, seconds)
        return
    with acquire_slot(here.redis, _max_slow_lanes(here), deps.context.rng) as found:
        if found:
            _deliver(deps, lane_id, seconds)


def _deliver(deps: LaneDeps, lane_id: LaneId, seconds: float) -> None:
    with bound_contextvars(connection=lane_id[0], lane=lane_id[1]):
        report = run_lane(deps, *lane_id, until=deps.context.now() + round(seconds * _US_PER_S))
        if report.calls:
            log.info("lane left", stopped=report.stopped)
    if report.stopped == "deadline" and fast_lanes(
        deps.context.redis, [lane_id]
    ):  # the sweep is fair to those that may hang
        _publish([lane_id])


def _max_slow_lanes(here: Context) -> int:
    """How many lanes that may hang can run at once: half of those that can linger, for the others may begin to hang."""
    return max(1, here.settings.workers * MAX_BACKGROUND_CALLS // 2)


def _find_due_lanes(connections: Collection[int] | None = None) -> list[LaneId]:
    here = get_process_context()
    with reading(here.engine) as db:
        return list_due_lanes(db, here.now(), connections)


def _publish(lanes: Sequence[LaneId]) -> None:
    if len(lanes) == 1:
        connection_id, lane = lanes[0]
        run_lane_task.apply_async((connection_id, lane), argsrepr=f"({connection_id}, {lane})", expires=30)
    else:
        run_lanes_task.apply_async((lanes,), argsrepr=f"({lanes})", expires=30)
