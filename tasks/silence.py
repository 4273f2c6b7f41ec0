"""Detects when hooks stop: a sweep every minute, canaries, and notices to the alert web hook."""

from __future__ import annotations

import structlog

from pipeline.context import Context
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.monitoring import canary
from pipeline.monitoring import sweep as monitoring_sweep
from pipeline.monitoring.alert_webhook import send_due_notices
from tasks.app import task
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

LEASE_MS = 30_000
TASK_EXPIRES_S = 120  # by then the next sweep has asked for the canary again


@task("silence.sweep")
def sweep() -> None:
    """Check every store for missing hooks, unless another process is doing it."""
    context = get_process_context()
    with build_monitoring_lease(context).hold() as is_held:
        if not is_held:
            return
        canaries = monitoring_sweep.sweep(context)
    for canary_id in canaries:
        send_canary.apply_async((canary_id,), argsrepr=f"({canary_id},)", expires=TASK_EXPIRES_S)
    if context.settings.alarm_url:
        notify.apply_async(expires=TASK_EXPIRES_S)


@task("silence.send_canary")
def send_canary(canary_id: int) -> None:
    """Send one canary hook to our own public address."""
    fault = canary.send_canary(get_process_context(), canary_id)
    if fault:
        log.warning("a canary did not arrive", canary=canary_id, reason=fault)


@task("silence.notify")
def notify() -> None:
    """Send the notices that are due to the alert web hook."""
    send_due_notices(get_process_context())


def build_monitoring_lease(context: Context) -> Lease:
    """Return the lease of all sweeps that send alerts: only one may run at a time."""
    return Lease(context.redis, redis_keys.MONITORING_LEASE, context.make_nonce(), LEASE_MS)
