"""Lets the search find what was recorded before there was one: some rows at a time, until all are read."""

from __future__ import annotations

import structlog

from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.operations import fill_search
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

LEASE_MS = 30_000


@task("search.fill")
def fill() -> None:
    """Read some of the older rows, unless another process is doing it. Reads two small rows once all are read."""
    context = get_process_context()
    if fill_search.is_done(context):
        return
    with Lease(context.redis, redis_keys.SEARCH_LEASE, context.make_nonce(), LEASE_MS).hold() as is_held:
        if is_held and fill_search.run(context):
            log.info("the search finds older rows too")
