"""Processes that the kernel kills for want of memory: they are started again, and killed again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.infra import redis_keys
from pipeline.ledger.monitoring.alarms import OPERATOR

NAME = "memory_short"
_EFFECT = "What they did begins anew each time; hooks are kept, and may not be delivered."
_TO_DO = "Give the machine, the container or the service more memory, or set CRATEWIRE_WORKERS lower."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    found: Any = context.redis.hgetall(redis_keys.OOM_KILLS)
    noted = {field.decode(): int(value) for field, value in found.items()}
    for host in sorted({field.rpartition(" ")[0] for field in noted}):
        killed, at = noted.get(f"{host} killed", 0), noted.get(f"{host} at", now)
        headline = f"the kernel kills processes on {host} for want of memory: {killed} so far"
        yield AttentionItem(NAME, host, OPERATOR, headline, _EFFECT, _TO_DO, at)


CAUSE = Cause(NAME, _find_items)
