"""Hooks do not become events, because a process of ours does not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import OPERATOR
from pipeline.ledger.queries import assess_chain, find_last_heartbeat

CHAIN = "chain_dead"
_TO_DO = (
    "Are web, worker and beat running? `cratewire run` starts them all; `cratewire doctor` and their logs say what "
    "stops them."
)


def _find_chain_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    began: Any = context.redis.get(redis_keys.HEARTBEAT_STARTED)
    with reading(context.engine) as db:
        arrival = find_last_heartbeat(db)
    since = arrival.arrived_at if arrival else int(began) if began else None
    chain = assess_chain(arrival, int(began) if began else None, now, context.settings.heartbeat_seconds)
    if chain.alive is not False or since is None:
        return
    waiting = pluralize(stream.depth(context.redis), "hook")
    effect = f"{waiting} in the inbox: all are kept, and become events once the chain runs."
    yield AttentionItem(CHAIN, "chain", OPERATOR, "Hooks do not become events", effect, _TO_DO, since)


CHAIN_CAUSE = Cause(CHAIN, _find_chain_items)
