"""What the doctor says of the work itself: whether hooks become events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pipeline import keys
from pipeline.chain.limit import stopped
from pipeline.ledger.reading import (
    Arrival,
    judge,
    last_arrival,
)
from pipeline.settings import Settings
from pipeline.troubles import NotedTrouble, trouble_now
from receiver.asking import asked
from receiver.finding import Finding
from receiver.redis_state import fault_of, opened

_MICROS = 1_000_000
_NO_REDIS = "Redis does not take what we write: see to that first."
_STARTED = "Start web, worker and beat: `cratewire run` starts them all."
_STANDS = "It stands because nearly all hooks failed: another row says of which error, and what to do."
_STUCK = "Web sends heartbeats and none arrives: are `worker` and `beat` running? Their logs say what stops them."


def look_at_work(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = asked(settings, lambda db: (last_arrival(db), True))
    if found is not None:
        yield _chain(settings, found[0], at)


def _chain(settings: Settings, arrival: Arrival | None, now: int) -> Finding:
    began, advice, trouble = _pulse(settings)
    chain = judge(arrival, began, now, settings.heartbeat_seconds)
    if chain.alive is None:
        return Finding("chain", "note", "not watched", "Set CRATEWIRE_HEARTBEAT_SECONDS, so that it is.")
    if chain.alive:
        return Finding("chain", "ok", "alive")
    if arrival is None and began is None:
        return Finding("chain", "note", "has not run yet", advice)
    last = chain.last_heartbeat_seconds
    when = "no heartbeat has ever arrived" if last is None else f"the last heartbeat arrived {last:.0f} s ago"
    why = f"; {trouble.says} ({trouble.code}, met by {trouble.task})" if trouble else ""
    return Finding("chain", "wrong", f"hooks do not become events; {when}{why}", advice)


def _pulse(settings: Settings) -> tuple[int | None, str, NotedTrouble | None]:
    """Since when web sends heartbeats, if it does, what to do if none arrives, and what tasks say of the database."""
    with contextlib.closing(opened(settings.redis_url)) as client:
        if fault_of(client) is not None:
            return None, _NO_REDIS, None
        began: Any = client.get(keys.PULSE)
        trouble, stands = trouble_now(client), stopped(client)
    if stands is not None:
        return (int(began) if began else None), _STANDS, None
    if trouble is not None:
        return (int(began) if began else None), trouble.advice, trouble
    return (int(began), _STUCK, None) if began else (None, _STARTED, None)
