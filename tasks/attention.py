"""Looks twice a minute at everything that may need a person, and tells what is new or over."""

from __future__ import annotations

import os

import structlog

from pipeline import keys
from pipeline.attention.item import Sources
from pipeline.attention.retrying import due
from pipeline.attention.sweeping import sweep as look
from pipeline.errors import CratewireError
from pipeline.http import outside
from pipeline.lanes.lease import Lease
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from pipeline.pausing import by_platform, go_on
from tasks.app import task
from tasks.config import DELIVERIES
from tasks.process import this_process
from tasks.silence import EXPIRES, LEASE_MS, audience_of, notify

log = structlog.get_logger(__name__)


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
    for connection_id in due(here.engine, here.redis, here.now()):
        retry.apply_async((connection_id,), queue=DELIVERIES, argsrepr=f"({connection_id},)", expires=EXPIRES)
    if here.settings.alarm_url:
        notify.apply_async(queue=DELIVERIES, expires=EXPIRES)


@task("attention.retry")
def retry(connection_id: int) -> None:
    """Try the saved keys of a connection that its platform refuses; if it takes them, everything that waits leaves."""
    here = this_process()
    with reading(here.engine) as db:
        link = find_connection(db, connection_id)
    if link is None or not by_platform(link.status_reason):
        return
    try:
        go_on(
            here.engine, here.settings.secret_keys, link, outside(anywhere=here.settings.connect_anywhere), here.now()
        )
    except CratewireError as error:
        log.info("a platform still refuses a connection", connection=connection_id, reason=str(error))
    else:
        log.warning("a connection goes on: its platform takes the saved keys again", connection=connection_id)
