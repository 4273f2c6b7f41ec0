"""Looks twice a minute at everything that may need a person, and tells what is new or over."""

from __future__ import annotations

import os

from pipeline import keys
from pipeline.attention.item import Sources
from pipeline.attention.sweeping import sweep as look
from pipeline.lanes.lease import Lease
from tasks.app import task
from tasks.config import DELIVERIES
from tasks.process import this_process
from tasks.silence import EXPIRES, LEASE_MS, audience_of, notify


@task("attention.sweep")
def sweep() -> None:
    """Look, unless somebody else looks or tells now: the next sweep is half a minute away."""
    here = this_process()
    lease = Lease(here.redis, keys.SILENCE_LEASE, os.urandom(16).hex(), LEASE_MS)
    if not lease.acquire():
        return
    try:
        with lease.kept():
            look(Sources(here.engine, here.redis, here.settings, here.now()), audience_of(here.settings))
    finally:
        lease.release()
    if here.settings.alarm_url:
        notify.apply_async(queue=DELIVERIES, expires=EXPIRES)
