"""Opens connections for the lanes: unseals their config, makes the destination and the account's budget."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.delivery.open_connection import LaneDeps, OpenConnection
from pipeline.destinations import DESTINATIONS
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import decrypt
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading

BACKFILL_RATE_SHARE = 0.5  # of an account's rate, for what gives way to live hooks


def build_lane_deps(context: Context) -> LaneDeps:
    """What the lanes of this process need."""
    return LaneDeps(context, lambda connection_id: open_connection(context, connection_id))


def open_connection(context: Context, connection_id: int) -> OpenConnection:
    """The connection's destination and budget. Read anew for each run: keys and pauses change."""
    with reading(context.engine) as db:
        link = find_connection(db, connection_id)
    if link is None:
        raise Misconfigured(f"connection {connection_id} is gone")
    destination = DESTINATIONS[link.platform](decrypt(context.settings.secret_keys, link.config), context.http)
    name = redis_keys.budget(link.platform, link.account)
    budget = Budget(context.redis, name, destination.calls_per_second)
    share = Budget(context.redis, f"{name}:share", destination.calls_per_second * BACKFILL_RATE_SHARE)
    return OpenConnection(destination, budget, share)
