"""What the doctor says of the work itself: whether hooks become events, and whether every connection may send."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from pipeline import keys
from pipeline.cratejoy.sharing import shared_keys
from pipeline.ledger.connections import named
from pipeline.ledger.reading import (
    Arrival,
    ConnectionCounts,
    RegistrationShown,
    judge,
    last_arrival,
    registrations,
    status_counts,
)
from pipeline.plural import counted
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
    found = asked(
        settings,
        lambda db: (
            last_arrival(db),
            status_counts(db, at),
            registrations(db),
            shared_keys(db, settings.secret_keys),
        ),
    )
    if found is None:
        return
    arrival, wires, shops, shared = found
    yield _chain(settings, arrival, at)
    yield from _connections(wires)
    yield from _shops(shops)
    yield from _shared(shared)


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


def _connections(wires: list[ConnectionCounts]) -> Iterator[Finding]:
    paused = [one for one in wires if one.status != "active"]
    for one in paused:
        says = f"{one.store} to {named(one.platform, one.label)} is {one.status}: {one.status_reason}"
        advice = (
            f"`cratewire connections resume --store {one.store}` tries its keys again, `cratewire connect` gives it "
            "others or another region; everything that waits leaves then."
        )
        yield Finding("connections", "wrong", says, advice)
    if not paused:
        yield Finding("connections", "ok", f"{len(wires)}, none is paused" if wires else "none yet")


def _shops(shops: list[RegistrationShown]) -> Iterator[Finding]:
    refused = [one for one in shops if one.status_reason is not None]
    for one in refused:
        advice = "`cratewire connect` again with Cratejoy's right keys; until then nobody looks after its hooks."
        yield Finding("cratejoy", "wrong", f"{one.store}: {one.status_reason}", advice)
    if not refused:
        yield Finding(
            "cratejoy",
            "ok",
            f"keys of {counted(len(shops), 'store')}, none is refused" if shops else "no store's keys yet",
        )


def _shared(groups: list[list[str]]) -> Iterator[Finding]:
    """Stores with the same keys, from before `connect` refused that: each hook and each customer comes twice."""
    for stores in groups:
        says = (
            f"{', '.join(stores)} have the same keys of Cratejoy: they are one store there, and everything comes twice"
        )
        advice = "Keep one of them; for each other one `cratewire hooks remove --store NAME --forget-keys`."
        yield Finding("cratejoy", "wrong", says, advice)
