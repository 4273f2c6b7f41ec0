"""Hooks do not become events, because a process of ours does not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import keys
from pipeline.attention.item import Cause, Item, Sources
from pipeline.inbox import stream
from pipeline.ledger.engine import reading
from pipeline.ledger.reading import judge, last_arrival
from pipeline.ledger.silence.alarms import OPERATOR
from pipeline.plural import counted

CHAIN = "chain_dead"
_START = (
    "Are web, worker and beat running? `cratewire run` starts them all; `cratewire doctor` and their logs say what "
    "stops them."
)


def _chain(sources: Sources) -> Iterator[Item]:
    began: Any = sources.redis.get(keys.PULSE)
    with reading(sources.engine) as db:
        arrival = last_arrival(db)
    since = arrival.arrived_at if arrival else int(began) if began else None
    chain = judge(arrival, int(began) if began else None, sources.now, sources.settings.heartbeat_seconds)
    if chain.alive is not False or since is None:
        return
    waiting = counted(stream.depth(sources.redis), "hook")
    effect = f"{waiting} in the inbox: all are kept, and become events once the chain runs."
    yield Item(CHAIN, "chain", OPERATOR, "Hooks do not become events", effect, _START, since)


CHAIN_CAUSE = Cause(CHAIN, _chain)
