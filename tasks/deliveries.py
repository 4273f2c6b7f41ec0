"""Empties the lanes: after a batch for the connections it concerned, and every second for whatever is due."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import structlog
from structlog.contextvars import bound_contextvars

from pipeline import keys
from pipeline.lanes.lane import run_lane
from pipeline.lanes.line import LaneDeps
from pipeline.lanes.trust import LaneId, a_place, free_places, trusted
from pipeline.ledger.deliveries import due_lanes
from pipeline.ledger.engine import reading
from tasks.app import task
from tasks.config import DELIVERIES
from tasks.lines import lane_deps
from tasks.lingering import MOST, Calls, lingering
from tasks.process import Process, this_process

log = structlog.get_logger(__name__)

RUN_SECONDS = 3  # how long one task stays at a lane before it lets others at the worker; no turn may run out meanwhile
_MICROS = 1_000_000


@task("deliveries.forward")
def forward(connections: list[int]) -> None:
    """Wake the lanes of these connections. Each lane is a task of its own, so that a slow one delays no other."""
    ready = _ready(_due(connections))
    for connection_id, lane in ready[1:]:
        _start(connection_id, lane)
    for connection_id, lane in ready[:1]:  # the usual case, one connection, needs no further message
        run(connection_id, lane)


@task("deliveries.run_lane")
def run(connection_id: int, lane: int) -> None:
    """Deliver one lane until it is empty, must wait, or time is up. A platform that keeps silent holds no process."""
    lingering.run(run.name, lambda calls: _run((connection_id, lane), calls))


@task("deliveries.sweep")
def sweep() -> None:
    """Start every lane that has something to do and may."""
    for lane_id in _ready(_due()):
        _start(*lane_id)


def _ready(due: Iterable[LaneId]) -> list[LaneId]:
    """Those that nobody holds; of those that may hang, as many as there are places for."""
    here = this_process()
    free = [lane for lane in due if not here.redis.exists(keys.lane_lease(*lane))]  # a holder looks before leaving
    quick = trusted(here.redis, free)
    others = [lane for lane in free if lane not in quick]
    room = free_places(here.redis, _places(here))
    return [*sorted(quick), *lane_deps(here).rng.sample(others, min(len(others), room))]


def _run(lane_id: LaneId, calls: Calls) -> None:
    """One that may hang needs a place."""
    here = this_process()
    deps = replace(lane_deps(here), calling=calls.one, hurried=lambda: calls.left)
    if trusted(here.redis, [lane_id]):
        _deliver(deps, lane_id)
        return
    with a_place(here.redis, _places(here), deps.rng) as found:
        if found:
            _deliver(deps, lane_id)


def _deliver(deps: LaneDeps, lane_id: LaneId) -> None:
    with bound_contextvars(connection=lane_id[0], lane=lane_id[1]):
        report = run_lane(deps, *lane_id, until=deps.now() + RUN_SECONDS * _MICROS)
        if report.calls:
            log.info("lane left", stopped=report.stopped)
    if report.stopped == "deadline" and trusted(deps.redis, [lane_id]):  # the sweep is fair to those that may hang
        _start(*lane_id)


def _places(here: Process) -> int:
    """How many lanes that may hang can run at once: half of those that can linger, for the others may begin to hang."""
    return max(1, here.settings.workers * MOST // 2)


def _due(connections: Collection[int] | None = None) -> list[LaneId]:
    here = this_process()
    with reading(here.engine) as db:
        return due_lanes(db, here.now(), connections)


def _start(connection_id: int, lane: int) -> None:
    run.apply_async((connection_id, lane), queue=DELIVERIES, argsrepr=f"({connection_id}, {lane})", expires=30)
