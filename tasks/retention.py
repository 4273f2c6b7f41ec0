"""Deletes what is older than the settings say, a few seconds at a time."""

from __future__ import annotations

import structlog

from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.operations import retention
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

LEASE_MS = 30_000


@task("retention.sweep")
def sweep() -> None:
    """Delete some old data, unless another process is doing it."""
    context = get_process_context()
    with Lease(context.redis, redis_keys.RETENTION_LEASE, context.make_nonce(), LEASE_MS).hold() as is_held:
        deleted = retention.sweep(context) if is_held else {}
    if deleted:
        log.info("deleted old data", **deleted)
