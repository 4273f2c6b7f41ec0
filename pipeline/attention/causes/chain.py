"""Hooks do not become events, because a process of ours does not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.item import AttentionContext, AttentionItem, Cause
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


def _find_chain_items(sources: AttentionContext) -> Iterator[AttentionItem]:
    began: Any = sources.redis.get(redis_keys.HEARTBEAT_STARTED)
    with reading(sources.engine) as db:
        arrival = find_last_heartbeat(db)
    since = arrival.arrived_at if arrival else int(began) if began else None
    chain = assess_chain(arrival, int(began) if began else None, sources.now, sources.settings.heartbeat_seconds)
    if chain.alive is not False or since is None:
        return
    waiting = pluralize(stream.depth(sources.redis), "hook")
    effect = f"{waiting} in the inbox: all are kept, and become events once the chain runs."
    yield AttentionItem(CHAIN, "chain", OPERATOR, "Hooks do not become events", effect, _TO_DO, since)


CHAIN_CAUSE = Cause(CHAIN, _find_chain_items)
