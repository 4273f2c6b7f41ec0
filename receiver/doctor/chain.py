"""What the doctor says of the work itself: whether hooks become events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.infra import redis_keys
from pipeline.ledger.queries import HeartbeatArrival, assess_chain, find_last_heartbeat
from pipeline.monitoring.canary_status import EndpointStatus, get_endpoint_status
from pipeline.monitoring.database_trouble import ReportedTrouble, get_reported_trouble
from pipeline.monitoring.messages import format_time
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.settings import Settings
from receiver.doctor.database import query_ledger
from receiver.doctor.finding import Finding
from receiver.doctor.redis import find_fault, open_redis

_MICROS = 1_000_000
_REDIS_ADVICE = "Redis does not take what we write: see to that first."
_START_ADVICE = "Start web, worker and beat: `cratewire run` starts them all."
_STOPPED_ADVICE = "It stands because nearly all hooks failed: another row says of which error, and what to do."
_STUCK_ADVICE = (
    "Web sends heartbeats and none arrives: are `worker` and `beat` running? Their logs say what stops them."
)


def check_chain(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = query_ledger(settings, lambda db: (find_last_heartbeat(db), True))
    if found is not None:
        yield _build_chain_finding(settings, found[0], at)


def _build_chain_finding(settings: Settings, arrival: HeartbeatArrival | None, now: int) -> Finding:
    began, advice, trouble = _read_heartbeat_state(settings)
    chain = assess_chain(arrival, began, now, settings.heartbeat_seconds)
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


def _read_heartbeat_state(settings: Settings) -> tuple[int | None, str, ReportedTrouble | None]:
    """Since when web sends heartbeats, if it does, what to do if none arrives, and what tasks say of the database."""
    with contextlib.closing(open_redis(settings.redis_url)) as client:
        if find_fault(client) is not None:
            return None, _REDIS_ADVICE, None
        began: Any = client.get(redis_keys.HEARTBEAT_STARTED)
        trouble, stands = get_reported_trouble(client), get_chain_stop(client)
    if stands is not None:
        return (int(began) if began else None), _STOPPED_ADVICE, None
    if trouble is not None:
        return (int(began) if began else None), trouble.advice, trouble
    return (int(began), _STUCK_ADVICE, None) if began else (None, _START_ADVICE, None)


def check_public_endpoint(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = query_ledger(settings, lambda db: get_endpoint_status(db, at))
    if found is not None:
        yield _build_endpoint_finding(settings, found, at)


def _build_endpoint_finding(settings: Settings, proof: EndpointStatus, now: int) -> Finding:
    if not settings.canary_seconds:
        return Finding("way in", "note", "not watched", "Set CRATEWIRE_CANARY_SECONDS, so that it is.")
    if proof.works is False:
        says = f"hooks to the public address have not come back since {format_time(proof.since)}: {proof.fault}"
        advice = "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/monitoring.md has a list."
        return Finding("way in", "wrong", says, advice)
    if proof.proven_at is None:
        return Finding("way in", "ok", "not tried yet")
    return Finding("way in", "ok", f"proven {max(0, now - proof.proven_at) // _MICROS} s ago")
