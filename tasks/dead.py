"""Replays hooks that another release let die with the release that runs now."""

from __future__ import annotations

import structlog

from pipeline.inbox import stream
from pipeline.operations.replay import replay_internal_errors
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.processing.release import RELEASE
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)


@task("dead.sweep")
def sweep() -> None:
    """Return some dead hooks of another release to the inbox, unless live hooks fill it or the chain is stopped."""
    context = get_process_context()
    if get_chain_stop(context.redis) or stream.depth(context.redis) >= context.settings.batch:
        return
    receipts = replay_internal_errors(context.engine, context.redis, RELEASE, context.settings.batch, context.now())
    if receipts:
        log.info("replaying dead hooks with this release", release=RELEASE, receipts=receipts)
