"""Replays: a sweep starts every replay for which there is something to do; a turn of it never takes long."""

from __future__ import annotations

import structlog

from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import list_working, tidy_replays
from pipeline.operations.replays.run import run_replay
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

DAY_US = 86_400 * 1_000_000
NEVER_BEGUN_US = DAY_US  # then what was counted and never begun is discarded
KEPT_US = 400 * DAY_US  # as long as events by default


@task("replays.run")
def run(replay_id: int) -> None:
    """Take a turn at a replay; the sweep goes on with it."""
    turn = run_replay(get_process_context(), replay_id)
    if turn.slices:
        log.debug("replay went on", replay=replay_id, state=turn.state, slices=turn.slices)


@task("replays.sweep")
def sweep() -> None:
    """Start every replay for which there is something to do and that no worker has."""
    context = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(context.engine) as conn:
        working = list_working(conn)
    for replay_id in working:
        if not context.redis.exists(redis_keys.replay_lease(replay_id)):
            run.apply_async((replay_id,), argsrepr=f"({replay_id},)", expires=30)


@task("replays.tidy")
def tidy() -> None:
    """Discard what was never begun, and delete old replays, a slice at a time."""
    context = get_process_context()
    deleted = 1
    while deleted:
        now = context.now()
        with writing(context.engine) as conn:
            deleted = tidy_replays(conn, now - NEVER_BEGUN_US, now - KEPT_US, now)
