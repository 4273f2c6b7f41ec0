"""Opens connections for the lanes: unseals their config, makes the destination and the account's budget."""

from __future__ import annotations

import os
import time
from random import Random

from pipeline.core.errors import Misconfigured
from pipeline.delivery.open_connection import LaneDeps, OpenConnection
from pipeline.destinations import DESTINATIONS
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.http.client import get_merchant_http
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from tasks.process import ProcessContext

BACKFILL_RATE_SHARE = 0.5  # of an account's rate, for what gives way to live hooks


def build_lane_deps(context: ProcessContext) -> LaneDeps:
    """What the lanes of this process need."""
    rng = Random(f"{os.getpid()}{time.time_ns()}{os.urandom(8).hex()}")  # noqa: S311 back-off jitter and lease names
    return LaneDeps(
        context.engine, context.redis, lambda connection_id: open_connection(context, connection_id), context.now, rng
    )


def open_connection(context: ProcessContext, connection_id: int) -> OpenConnection:
    """The connection's destination and budget. Read anew for each run: keys and pauses change."""
    with reading(context.engine) as db:
        link = find_connection(db, connection_id)
    if link is None:
        raise Misconfigured(f"connection {connection_id} is gone")
    destination = DESTINATIONS[link.platform](
        decrypt(context.settings.secret_keys, link.config),
        get_merchant_http(anywhere=context.settings.connect_anywhere),
    )
    name = redis_keys.budget(link.platform, link.account)
    budget = Budget(context.redis, name, destination.calls_per_second)
    share = Budget(context.redis, f"{name}:share", destination.calls_per_second * BACKFILL_RATE_SHARE)
    return OpenConnection(destination, budget, share)
