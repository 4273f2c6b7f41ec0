"""Notices when hooks stop: looks every minute, sends canaries, and tells whoever must know."""

from __future__ import annotations

import structlog

from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.monitoring.alert_webhook import send_due_notices
from pipeline.monitoring.canary import send_canary as send_one
from pipeline.monitoring.sweep import sweep as look
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

LEASE_MS = 30_000
TASK_EXPIRES_S = 120  # seconds: a canary that nobody took by then is asked for again by the next sweep


@task("silence.sweep")
def sweep() -> None:
    """Look at everything, unless somebody else does."""
    here = get_process_context()
    lease = Lease(here.redis, redis_keys.MONITORING_LEASE, here.make_nonce(), LEASE_MS)
    if not lease.acquire():
        return
    try:
        with lease.kept():
            canaries = look(here)
    finally:
        lease.release()
    for canary_id in canaries:
        args = f"({canary_id},)"
        send_canary.apply_async((canary_id,), argsrepr=args, expires=TASK_EXPIRES_S)
    if here.settings.alarm_url:
        notify.apply_async(expires=TASK_EXPIRES_S)


@task("silence.send_canary")
def send_canary(canary_id: int) -> None:
    """Send one hook of our own to our own public address."""
    fault = send_one(get_process_context(), canary_id)
    if fault:
        log.warning("a canary did not come back", canary=canary_id, reason=fault)


@task("silence.notify")
def notify() -> None:
    """Tell the notices that wait."""
    send_due_notices(get_process_context())
