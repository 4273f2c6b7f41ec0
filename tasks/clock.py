"""Checks every ten seconds whether a clock was set back."""

from __future__ import annotations

import socket

import structlog

from pipeline.operations.clock_set_back import repair_clock_set_back
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)


@task("clock.sweep")
def sweep() -> None:
    """Compare Redis's clock and this host's with the latest times they have shown, and repair waits."""
    context = get_process_context()
    back = repair_clock_set_back(context.redis, context.engine, socket.gethostname(), context.now)
    if back.max_s:
        log.warning(
            "a clock was set back; waits were shortened by the difference", redis=back.redis_s, host=back.host_s
        )
