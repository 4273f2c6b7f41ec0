"""What the doctor says of the list of what needs a person."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from redis import Redis
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.item import Item, Sources
from pipeline.attention.listing import attention
from pipeline.errors import Misconfigured
from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import is_current
from pipeline.settings import Settings
from receiver.finding import Finding

PATIENCE = 3.0
_MICROS = 1_000_000
_ROWS = {  # cause -> the doctor's row about it, which is older than the list
    "platform_keys_refused": "connections",
    "cratejoy_keys_refused": "cratejoy",
    "cratejoy_keys_shared": "cratejoy",
    "silence": "silence",
    "memory_short": "memory",
    "sweeps_unsent": "sweeps",
}
_ROWS_OF_THEIR_OWN = {"chain_dead", "way_in", "redis", "database", "clock"}  # the doctor looks deeper into these
_FINE = {
    "connections": "no platform refuses one",
    "cratejoy": "no store's keys are refused, or those of another store",
    "silence": "no store is silent that should not be",
    "memory": "the kernel kills no process for it",
    "sweeps": "beat sends them, or has never begun",
    "attention": "nothing else needs a person",
}


def look_at_attention(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """A row for each thing. Nothing if the database cannot be asked: that is a finding of its own."""
    items = _items(settings, round(now() * _MICROS))
    if items is None:
        return
    for one in items:
        if one.cause in _ROWS_OF_THEIR_OWN:
            continue
        yield Finding(_ROWS.get(one.cause, "attention"), "wrong", f"{one.headline}. {one.effect}", one.to_do)
    for name, says in _FINE.items():
        if name not in {_ROWS.get(one.cause, "attention") for one in items}:
            yield Finding(name, "ok", says)


def _items(settings: Settings, now: int) -> list[Item] | None:
    patience = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    engine = make_engine(settings.database_url)
    with contextlib.closing(Redis.from_url(settings.redis_url, **patience)) as redis:
        try:
            if not is_current(engine):
                return None
        except (SQLAlchemyError, Misconfigured):
            return None
        else:
            return attention(Sources(engine, redis, settings, now))
        finally:
            engine.dispose()
