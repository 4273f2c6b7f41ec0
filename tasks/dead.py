"""Lets a release that was mended try what another release let die."""

from __future__ import annotations

import structlog

from pipeline.inbox import stream
from pipeline.operations.replay import replay_faults_of_others
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.processing.release import RELEASE
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)


@task("dead.sweep")
def sweep() -> None:
    """Put some back into the inbox, unless it is busy or the chain stands: those that live go first."""
    here = get_process_context()
    if get_chain_stop(here.redis) or stream.depth(here.redis) >= here.settings.batch:
        return
    tried = replay_faults_of_others(here.engine, here.redis, RELEASE, here.settings.batch, here.now())
    if tried:
        log.info("dead hooks are tried with this release", release=RELEASE, receipts=tried)
