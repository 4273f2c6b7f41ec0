"""Delivers the lanes: those of a batch's connections at once, and every second all that are due."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from math import ceil
from typing import Any

import structlog

from pipeline.context import Context
from pipeline.delivery.lane import run_lane, run_lanes
from pipeline.delivery.open_connection import LaneDeps, LaneReport, OpenConnection
from pipeline.delivery.slow_lanes import acquire_any, acquire_slot, count_free_slots, fast_lanes
from pipeline.destinations import DESTINATIONS
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.form_config import read_rate
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries import LaneId, list_due_lanes
from pipeline.ledger.engine import reading
from pipeline.mapping.rules import parse_mapping
from tasks.app import app, task
from tasks.config import DELIVERIES
from tasks.process import get_process_context
from tasks.worker.background_calls import MAX_BACKGROUND_CALLS, CallState, background_calls
from tasks.worker.base import report_failure

log = structlog.get_logger(__name__)

MAX_RUN_S = 3.0  # of one lane before other tasks may run; the chain lease must not expire meanwhile
MAX_SHARED_RUN_S = 0.3  # of a lane with others waiting behind it; a lane that needs longer gets a task of its own
MAX_LANES_PER_MESSAGE = 50  # they share transactions, which make others wait for the database's lock
MIN_LANES_PER_MESSAGE = MAX_BACKGROUND_CALLS  # if there are as many: their calls are made at once
BACKFILL_RATE_SHARE = 0.5  # of an account's rate, for backfill messages
_US_PER_S = 1_000_000
_USER_BYTES = 8  # of the hash by which one user's connections are recognised


@task("deliveries.forward")
def forward(connections: list[int]) -> None:
    """Deliver the due lanes of these connections: the first group in this task, the others in tasks of their own."""
    first, *others = _group_free_lanes(_find_due_lanes(connections)) or [[]]
    for lanes in others:
        _publish(lanes)
    run_lanes_task(first)  # the usual case, one connection, needs no other message


def forward_here(connections: list[int]) -> None:
    """Deliver in the running task, unless its worker takes no deliveries."""
    if DELIVERIES not in app.amqp.queues.consume_from:
        publish_forward(connections)
    elif connections:
        forward(connections)


def publish_forward(connections: list[int]) -> None:
    """Have another task deliver."""
    if connections:
        forward.apply_async((connections,))


@task("deliveries.run_lane")
def run_lane_task(connection_id: int, lane: int) -> None:
    """Deliver one lane until it is empty, must wait, or time is up. A platform that hangs blocks no process."""
    background_calls.run(run_lane_task.name, partial(_run_with_slot, (connection_id, lane), MAX_RUN_S))


@task("deliveries.run_lanes")
def run_lanes_task(lanes: Sequence[LaneId]) -> None:
    """Deliver lanes together. A lane that hangs, fails or has much to do delays none of the others."""
    wanted = [(connection_id, lane) for connection_id, lane in lanes]
    if len(wanted) == 1:
        run_lane_task(*wanted[0])
        return
    context = get_process_context()
    fast = fast_lanes(context.redis, wanted) if background_calls.has_room() else set()
    for lane_id in wanted:
        if lane_id not in fast:  # it needs a slot, or a process with room
            _publish([lane_id])
    if fast:
        _deliver_together(context, sorted(fast))


@task("deliveries.sweep")
def sweep() -> None:
    """Start every lane that is due and free."""
    for lanes in _group_free_lanes(_find_due_lanes()):
        _publish(lanes)


def _group_free_lanes(due: Sequence[LaneId]) -> list[Sequence[LaneId]]:
    """Group the lanes that no task holds into messages. Slow lanes go alone, and only as many as there are slots."""
    if not due:
        return []
    context = get_process_context()
    holders: Any = context.redis.mget([redis_keys.lane_lease(*lane) for lane in due])
    # A holder checks for new messages itself before it releases its lane.
    free = [lane for lane, holder in zip(due, holders, strict=True) if holder is None]
    fast = fast_lanes(context.redis, free)
    slow = [lane for lane in free if lane not in fast]
    free_slots = count_free_slots(context.redis, _max_slow_lanes(context))
    chosen = context.rng.sample(slow, min(len(slow), free_slots))
    return [*_split_lanes(sorted(fast), context.settings.workers), *([lane] for lane in chosen)]


def _split_lanes(lanes: Sequence[LaneId], processes: int) -> Iterator[Sequence[LaneId]]:
    """Split the lanes into messages: few share one, many are divided among the processes."""
    size = min(MAX_LANES_PER_MESSAGE, max(MIN_LANES_PER_MESSAGE, ceil(len(lanes) / processes)))
    for start in range(0, len(lanes), size):
        yield lanes[start : start + size]


def _run_with_slot(lane_id: LaneId, seconds: float, calls: CallState) -> None:
    """Deliver the lane. A slow one needs a slot; without one it is left to the sweep."""
    context = get_process_context()
    deps = replace(build_lane_deps(context), around_call=calls.track_call, should_yield=lambda: calls.is_detached)
    if fast_lanes(context.redis, [lane_id]):
        _deliver(deps, lane_id, seconds)
        return
    with acquire_slot(context.redis, _max_slow_lanes(context), context.rng) as is_acquired:
        if is_acquired:
            _deliver(deps, lane_id, seconds)


def _deliver(deps: LaneDeps, lane_id: LaneId, seconds: float) -> None:
    report = run_lane(deps, *lane_id, until=_in(deps.context, seconds))
    _go_on(deps.context, {lane_id: report})


def _deliver_together(context: Context, lanes: Sequence[LaneId]) -> None:
    """Deliver fast lanes. The first error of a lane is raised when all of them have ended, the others are reported."""
    call_all = partial(background_calls.call_side_by_side, run_lane_task.name)
    deps = replace(build_lane_deps(context), call_all=call_all, on_late=partial(_end_late, context))
    reports = run_lanes(deps, lanes, until=_in(context, MAX_SHARED_RUN_S))
    _go_on(context, {lane_id: report for lane_id, report in reports.items() if isinstance(report, LaneReport)})
    errors = [report for report in reports.values() if isinstance(report, Exception)]
    for error in errors[1:]:
        report_failure(run_lane_task.name, error)
    if errors:
        raise errors[0]


def _end_late(context: Context, lane_id: LaneId, report: LaneReport | Exception) -> None:
    if isinstance(report, Exception):
        report_failure(run_lane_task.name, report)
    else:
        _go_on(context, {lane_id: report})


def _go_on(context: Context, reports: Mapping[LaneId, LaneReport]) -> None:
    """Log what became of the lanes, and publish those with more to do. The sweep chooses fairly among slow lanes."""
    for lane_id, report in reports.items():
        if report.calls:
            log.info("lane run ended", connection=lane_id[0], lane=lane_id[1], stopped=report.stopped)
    unfinished = [lane_id for lane_id, report in reports.items() if report.stopped == "deadline"]
    for lane_id in sorted(fast_lanes(context.redis, unfinished)):
        _publish([lane_id])


def _in(context: Context, seconds: float) -> int:
    return context.now() + round(seconds * _US_PER_S)


def _max_slow_lanes(context: Context) -> int:
    """Return how many slow lanes may run at once: half of the background calls, since fast lanes may become slow."""
    return max(1, context.settings.workers * MAX_BACKGROUND_CALLS // 2)


def _find_due_lanes(connections: Collection[int] | None = None) -> list[LaneId]:
    context = get_process_context()
    with reading(context.engine) as conn:
        return list_due_lanes(conn, context.now(), connections)


def _publish(lanes: Sequence[LaneId]) -> None:
    if len(lanes) == 1:
        connection_id, lane = lanes[0]
        run_lane_task.apply_async((connection_id, lane), argsrepr=f"({connection_id}, {lane})", expires=30)
    else:
        run_lanes_task.apply_async((lanes,), argsrepr=f"({lanes})", expires=30)


def build_lane_deps(context: Context) -> LaneDeps:
    """Return the dependencies of this process's lanes."""
    return LaneDeps(context, partial(open_connection, context))


def open_connection(context: Context, connection: ConnectionRow) -> OpenConnection:
    """Return the connection's destination and budgets. The row is read for each run, since keys and pauses change.

    Raises Misconfigured if its config is unusable.
    """
    config = decrypt(context.settings.secret_keys, connection.config, connection.identity)
    destination = DESTINATIONS[connection.platform](config, context.http)
    name = redis_keys.budget(connection.platform, connection.account)
    rate = read_rate(config, destination.calls_per_second)
    budget = Budget(context.redis, name, rate)
    backfill_budget = Budget(context.redis, f"{name}:share", rate * BACKFILL_RATE_SHARE)
    mapping = parse_mapping(connection.mapping)
    if destination.calls_at_once is None:
        return OpenConnection(destination, budget, backfill_budget, mapping)
    field, most = destination.calls_at_once
    user = blake2b(config[field].encode(), digest_size=_USER_BYTES).hexdigest()
    slots = [redis_keys.user_slot(connection.platform, user, number) for number in range(most)]
    take_slot = partial(acquire_any, context.redis, slots, context.rng)
    return OpenConnection(destination, budget, backfill_budget, mapping, take_slot)
