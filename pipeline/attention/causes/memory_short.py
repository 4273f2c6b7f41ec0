"""Processes that the kernel kills for want of memory: they are started again, and killed again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import keys
from pipeline.attention.item import Cause, Item, Sources
from pipeline.ledger.silence.alarms import OPERATOR

NAME = "memory_short"
_EFFECT = "What they did begins anew each time; hooks are kept, and may not be delivered."
_TO_DO = "Give the machine, the container or the service more memory, or set CRATEWIRE_WORKERS lower."


def _look(sources: Sources) -> Iterator[Item]:
    found: Any = sources.redis.hgetall(keys.KILLED)
    noted = {field.decode(): int(value) for field, value in found.items()}
    for host in sorted({field.rpartition(" ")[0] for field in noted}):
        killed, at = noted.get(f"{host} killed", 0), noted.get(f"{host} at", sources.now)
        headline = f"the kernel kills processes on {host} for want of memory: {killed} so far"
        yield Item(NAME, host, OPERATOR, headline, _EFFECT, _TO_DO, at)


CAUSE = Cause(NAME, _look)
