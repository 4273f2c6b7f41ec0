"""Looks twice a minute at everything that may need a person, and tells what is new or over."""

from __future__ import annotations

import structlog

from pipeline.attention.sweep import sweep as look
from pipeline.core.errors import CratewireError
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from pipeline.operations.pause import claim_due_retries, is_paused_by_platform, resume_with_saved_keys
from tasks.app import task
from tasks.config import DELIVERIES
from tasks.process import get_process_context
from tasks.silence import LEASE_MS, TASK_EXPIRES_S, notify

log = structlog.get_logger(__name__)


@task("attention.sweep")
def sweep() -> None:
    """Look, unless somebody else looks or tells now: the next sweep is half a minute away."""
    here = get_process_context()
    lease = Lease(here.redis, redis_keys.MONITORING_LEASE, here.make_nonce(), LEASE_MS)
    if not lease.acquire():
        return
    try:
        with lease.kept():
            look(here)
    finally:
        lease.release()
    for connection_id in claim_due_retries(here):
        retry.apply_async((connection_id,), queue=DELIVERIES, argsrepr=f"({connection_id},)", expires=TASK_EXPIRES_S)
    if here.settings.alarm_url:
        notify.apply_async(queue=DELIVERIES, expires=TASK_EXPIRES_S)


@task("attention.retry")
def retry(connection_id: int) -> None:
    """Try the saved keys of a connection that its platform refuses; if it takes them, everything that waits leaves."""
    here = get_process_context()
    with reading(here.engine) as db:
        link = find_connection(db, connection_id)
    if link is None or not is_paused_by_platform(link.status_reason):
        return
    try:
        resume_with_saved_keys(
            here.engine,
            here.settings.secret_keys,
            link,
            here.http,
            here.now(),
        )
    except CratewireError as error:
        log.info("a platform still refuses a connection", connection=connection_id, reason=str(error))
    else:
        log.warning("a connection goes on: its platform takes the saved keys again", connection=connection_id)
