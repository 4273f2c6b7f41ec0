"""Notices when hooks stop: looks every minute, sends canaries, and tells whoever must know."""

from __future__ import annotations

import os

import structlog

from pipeline import http, keys
from pipeline.lanes.lease import Lease
from pipeline.settings import Settings
from pipeline.silence.canary import Address
from pipeline.silence.canary import send_canary as send_one
from pipeline.silence.sweeping import Ears
from pipeline.silence.sweeping import sweep as look
from pipeline.silence.telling import Audience
from pipeline.silence.trying import Means
from pipeline.silence.webhook import Bell, tell_waiting
from tasks.app import task
from tasks.process import Process, this_process

log = structlog.get_logger(__name__)

LEASE_MS = 30_000
EXPIRES = 120  # seconds: a canary that nobody took by then is asked for again by the next sweep


@task("silence.sweep")
def sweep() -> None:
    """Look at everything, unless somebody else does."""
    here = this_process()
    lease = Lease(here.redis, keys.SILENCE_LEASE, os.urandom(16).hex(), LEASE_MS)
    if not lease.acquire():
        return
    try:
        with lease.kept():
            canaries = look(ears(here))
    finally:
        lease.release()
    for canary_id in canaries:
        args = f"({canary_id},)"
        send_canary.apply_async((canary_id,), argsrepr=args, expires=EXPIRES)
    if here.settings.alarm_url:
        notify.apply_async(expires=EXPIRES)


@task("silence.send_canary")
def send_canary(canary_id: int) -> None:
    """Send one hook of our own to our own public address."""
    here = this_process()
    address = Address(here.settings.secret_keys, here.settings.public_url)
    fault = send_one(here.engine, address, canary_id, http.shared, here.now)
    if fault:
        log.warning("a canary did not come back", canary=canary_id, reason=fault)


@task("silence.notify")
def notify() -> None:
    """Tell the notices that wait."""
    here = this_process()
    url = here.settings.alarm_url
    if url:
        tell_waiting(Bell(here.engine, url, here.settings.secret_keys, http.shared, here.now))


def ears(here: Process) -> Ears:
    """What a sweep of this process needs."""
    settings = here.settings
    means = Means(settings.heartbeat_seconds, settings.canary_seconds, _nonce)
    return Ears(here.engine, means, audience_of(settings), here.now)


def audience_of(settings: Settings) -> Audience:
    """How people and programs are told."""
    return Audience(
        settings.secret_keys, settings.public_url, settings.alarm_url is not None, _nonce, settings.operator_mail
    )


def _nonce() -> str:
    return os.urandom(16).hex()
