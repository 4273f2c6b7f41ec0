"""Notices when hooks stop: looks every minute, sends canaries, and tells whoever must know."""

from __future__ import annotations

import os

import structlog

from pipeline.infra import redis_keys
from pipeline.infra.http import client
from pipeline.infra.redis_lease import Lease
from pipeline.monitoring.alert_webhook import AlertWebhook, send_due_notices
from pipeline.monitoring.canary import CanaryTarget
from pipeline.monitoring.canary import send_canary as send_one
from pipeline.monitoring.diagnosis import DiagnosticsContext
from pipeline.monitoring.notifications import NotificationContext
from pipeline.monitoring.sweep import MonitoringContext
from pipeline.monitoring.sweep import sweep as look
from pipeline.settings import Settings
from tasks.app import task
from tasks.process import ProcessContext, get_process_context

log = structlog.get_logger(__name__)

LEASE_MS = 30_000
TASK_EXPIRES_S = 120  # seconds: a canary that nobody took by then is asked for again by the next sweep


@task("silence.sweep")
def sweep() -> None:
    """Look at everything, unless somebody else does."""
    here = get_process_context()
    lease = Lease(here.redis, redis_keys.MONITORING_LEASE, os.urandom(16).hex(), LEASE_MS)
    if not lease.acquire():
        return
    try:
        with lease.kept():
            canaries = look(build_monitoring_deps(here))
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
    here = get_process_context()
    address = CanaryTarget(here.settings.secret_keys, here.settings.public_url)
    fault = send_one(here.engine, address, canary_id, client.operator_http, here.now)
    if fault:
        log.warning("a canary did not come back", canary=canary_id, reason=fault)


@task("silence.notify")
def notify() -> None:
    """Tell the notices that wait."""
    here = get_process_context()
    url = here.settings.alarm_url
    if url:
        send_due_notices(AlertWebhook(here.engine, url, here.settings.secret_keys, client.operator_http, here.now))


def build_monitoring_deps(context: ProcessContext) -> MonitoringContext:
    """What a sweep of this process needs."""
    settings = context.settings
    means = DiagnosticsContext(settings.heartbeat_seconds, settings.canary_seconds, _nonce)
    return MonitoringContext(context.engine, means, build_audience(settings), context.now)


def build_audience(settings: Settings) -> NotificationContext:
    """How people and programs are told."""
    return NotificationContext(
        settings.secret_keys, settings.public_url, settings.alarm_url is not None, _nonce, settings.operator_mail
    )


def _nonce() -> str:
    return os.urandom(16).hex()
