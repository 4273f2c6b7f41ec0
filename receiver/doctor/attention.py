"""Checks for the items that need attention, as `cratewire status` lists them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.item import AttentionItem
from pipeline.attention.listing import find_attention_items
from pipeline.context import build_context
from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine
from pipeline.ledger.revision import is_current
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.doctor.redis import open_redis

_MICROS = 1_000_000
_CHECK_BY_CAUSE = {  # cause -> name of the check
    "platform_keys_refused": "connections",
    "cratejoy_keys_refused": "cratejoy",
    "cratejoy_keys_shared": "cratejoy",
    "silence": "silence",
    "memory_short": "memory",
    "sweeps_unsent": "sweeps",
}
_CHECKED_ELSEWHERE = {"chain_dead", "way_in", "redis", "database", "clock"}  # other checks examine these in detail
_OK_TEXTS = {
    "connections": "no platform refuses one",
    "cratejoy": "no store's keys are refused, or those of another store",
    "silence": "no store is unexpectedly silent",
    "memory": "the kernel killed no process for lack of memory",
    "sweeps": "beat sends them, or has never run",
    "attention": "nothing else needs attention",
}


def check_attention(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Yield a finding for each item. Yields nothing if the database is unavailable: another check reports that."""
    items = _load_items(settings, round(now() * _MICROS))
    if items is None:
        return
    for item in items:
        if item.cause in _CHECKED_ELSEWHERE:
            continue
        name = _CHECK_BY_CAUSE.get(item.cause, "attention")
        if item.set_aside is None:
            yield Finding(name, "wrong", f"{item.headline}. {item.effect}", item.to_do)
        else:
            yield Finding(name, "note", f"{item.headline}. {item.effect}", f"Set aside: {item.set_aside.reason}")
    for name, says in _OK_TEXTS.items():
        if name not in {_CHECK_BY_CAUSE.get(item.cause, "attention") for item in items}:
            yield Finding(name, "ok", says)


def _load_items(settings: Settings, now: int) -> list[AttentionItem] | None:
    engine = make_engine(settings.database_url)
    with contextlib.closing(open_redis(settings.redis_url)) as redis:
        try:
            if not is_current(engine):
                return None
        except (SQLAlchemyError, Misconfigured):
            return None
        else:
            return find_attention_items(replace(build_context(settings, engine, redis), now=lambda: now))
        finally:
            engine.dispose()
