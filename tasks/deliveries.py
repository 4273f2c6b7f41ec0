"""Empties the lanes: after a batch for the connections it concerned, and every second for whatever is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from pipeline import keys
from pipeline.lanes.lane import run_lane
from pipeline.lanes.line import LaneDeps
from pipeline.lanes.trust import LaneId, a_place, free_places, trusted
from pipeline.ledger.deliveries import due_lanes
from pipeline.ledger.engine import reading
from tasks.app import task
from tasks.lines import lane_deps
from tasks.lingering import MOST, Calls, lingering
from tasks.process import Process, this_process

log = structlog.get_logger(__name__)

RUN_SECONDS = 3.0  # how long a task stays at a lane before it lets others at the worker; no turn may run out meanwhile
MOMENT = 0.3  # the same, where other lanes wait behind this one: what takes longer goes on alone
TOGETHER = 10  # lanes in one message, if many are due: a message costs as much as delivering a lane's few
EACH = 4  # messages there shall be for each process before lanes share any
_MICROS = 1_000_000


@task("deliveries.forward")
def forward(connections: list[int]) -> None:
    """Wake the lanes of these connections. No task stays at a slow one while others wait behind it."""
    first, *others = _ready(_due(connections)) or [[]]
    for lanes in others:
        _start(lanes)
    run_some(first)  # the usual case, one connection, needs no further message


@task("deliveries.run_lane")
def run(connection_id: int, lane: int) -> None:
    """Deliver one lane until it is empty, must wait, or time is up. A platform that keeps silent holds no process."""
    lingering.run(run.name, partial(_run, (connection_id, lane), RUN_SECONDS))


@task("deliveries.run_lanes")
def run_some(lanes: Sequence[LaneId]) -> None:
    """Deliver lanes one after another. One that hangs, fails or has much to do keeps none of the others waiting."""
    waiting = deque((connection_id, lane) for connection_id, lane in lanes)
    seconds = MOMENT if len(waiting) > 1 else RUN_SECONDS
    try:
        while waiting and lingering.has_room():
            lingering.run(run.name, partial(_run, waiting.popleft(), seconds))
    finally:
        for lane_id in waiting:
            _start([lane_id])


@task("deliveries.sweep")
def sweep() -> None:
    """Start every lane that has something to do and may."""
    for lanes in _ready(_due()):
        _start(lanes)


def _ready(due: Sequence[LaneId]) -> list[Sequence[LaneId]]:
    """Those that nobody holds, by the message; of those that may hang, as many as there are places for, and alone."""
    if not due:
        return []
    here = this_process()
    holders: Any = here.redis.mget([keys.lane_lease(*lane) for lane in due])
    free = [lane for lane, holder in zip(due, holders, strict=True) if holder is None]  # a holder looks before leaving
    quick = trusted(here.redis, free)
    others = [lane for lane in free if lane not in quick]
    room = free_places(here.redis, _places(here))
    some = lane_deps(here).rng.sample(others, min(len(others), room))
    return [*_together(sorted(quick), here.settings.workers), *([lane] for lane in some)]


def _together(lanes: Sequence[LaneId], processes: int) -> Iterator[Sequence[LaneId]]:
    """As many as shall share a message: few share none, for every process shall have something to do."""
    size = min(TOGETHER, max(1, len(lanes) // (processes * EACH)))
    for start in range(0, len(lanes), size):
        yield lanes[start : start + size]


def _run(lane_id: LaneId, seconds: float, calls: Calls) -> None:
    """One that may hang needs a place."""
    here = this_process()
    deps = replace(lane_deps(here), calling=calls.one, hurried=lambda: calls.left)
    if trusted(here.redis, [lane_id]):
        _deliver(deps, lane_id, seconds)
        return
    with a_place(here.redis, _places(here), deps.rng) as found:
        if found:
            _deliver(deps, lane_id, seconds)


def _deliver(deps: LaneDeps, lane_id: LaneId, seconds: float) -> None:
    with bound_contextvars(connection=lane_id[0], lane=lane_id[1]):
        report = run_lane(deps, *lane_id, until=deps.now() + round(seconds * _MICROS))
        if report.calls:
            log.info("lane left", stopped=report.stopped)
    if report.stopped == "deadline" and trusted(deps.redis, [lane_id]):  # the sweep is fair to those that may hang
        _start([lane_id])


def _places(here: Process) -> int:
    """How many lanes that may hang can run at once: half of those that can linger, for the others may begin to hang."""
    return max(1, here.settings.workers * MOST // 2)


def _due(connections: Collection[int] | None = None) -> list[LaneId]:
    here = this_process()
    with reading(here.engine) as db:
        return due_lanes(db, here.now(), connections)


def _start(lanes: Sequence[LaneId]) -> None:
    if len(lanes) == 1:
        connection_id, lane = lanes[0]
        run.apply_async((connection_id, lane), argsrepr=f"({connection_id}, {lane})", expires=30)
    else:
        run_some.apply_async((lanes,), argsrepr=f"({lanes})", expires=30)
