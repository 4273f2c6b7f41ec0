"""What the doctor says of the work itself: whether hooks become events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from pipeline import keys
from pipeline.ledger.reading import (
    Arrival,
    judge,
    last_arrival,
)
from pipeline.settings import Settings
from receiver.asking import asked
from receiver.finding import Finding

PATIENCE = 3.0
_MICROS = 1_000_000
_NO_REDIS = "Redis does not answer: see to that first."
_STARTED = "Start web, worker and beat: `cratewire run` starts them all."
_STUCK = "Web sends heartbeats and none arrives: are `worker` and `beat` running? Their logs say what stops them."


def look_at_work(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = asked(settings, lambda db: (last_arrival(db), True))
    if found is not None:
        yield _chain(settings, found[0], at)


def _chain(settings: Settings, arrival: Arrival | None, now: int) -> Finding:
    began, advice = _pulse(settings)
    chain = judge(arrival, began, now, settings.heartbeat_seconds)
    if chain.alive is None:
        return Finding("chain", "note", "not watched", "Set CRATEWIRE_HEARTBEAT_SECONDS, so that it is.")
    if chain.alive:
        return Finding("chain", "ok", "alive")
    if arrival is None and began is None:
        return Finding("chain", "note", "has not run yet", advice)
    last = chain.last_heartbeat_seconds
    when = "no heartbeat has ever arrived" if last is None else f"the last heartbeat arrived {last:.0f} s ago"
    return Finding("chain", "wrong", f"hooks do not become events; {when}", advice)


def _pulse(settings: Settings) -> tuple[int | None, str]:
    """Since when web sends heartbeats, if it does, and what to do if none arrives."""
    patience = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    with contextlib.closing(Redis.from_url(settings.redis_url, **patience)) as client:
        try:
            began: Any = client.get(keys.PULSE)
        except RedisError:
            return None, _NO_REDIS
    return (int(began), _STUCK) if began else (None, _STARTED)
