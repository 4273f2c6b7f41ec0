"""Removes stores: what a page has asked for, and what a killed command has left."""

from __future__ import annotations

import structlog

from pipeline.core.errors import Misconfigured
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.removals import list_open_removals
from pipeline.operations.remove_store import advance_removal
from tasks.app import app, task
from tasks.config import BACKFILL
from tasks.process import get_process_context
from tasks.worker.backpressure import is_stalled

log = structlog.get_logger(__name__)

MAX_RUN_US = 30_000_000


@task("stores.sweep")
def sweep() -> None:
    """Go on with every removal that is due, unless another process is at it."""
    context = get_process_context()
    if is_stalled(app, BACKFILL):
        return
    with reading(context.engine) as conn:
        due = [row.store_id for row in list_open_removals(conn) if row.next_at <= context.now()]
    for store_id in due:
        if not context.redis.exists(redis_keys.removal_lease(store_id)):
            remove.apply_async((store_id,), argsrepr=f"({store_id},)", expires=30)


@task("stores.remove")
def remove(store_id: int) -> None:
    """Do the next part of one removal. The sweep starts the part after it."""
    context = get_process_context()
    try:
        progress = advance_removal(context, store_id, context.now() + MAX_RUN_US)
    except Misconfigured:
        return  # called off since the sweep
    log.info(
        "a store is being removed",
        store=store_id,
        done=progress.done,
        rows=progress.rows,
        wait=progress.wait,
        reason=progress.trouble or None,
    )
