"""Checks whether hooks become events, and whether hooks to the public URL arrive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.infra import redis_keys
from pipeline.ledger.queries import HeartbeatArrival, assess_chain, find_last_heartbeat
from pipeline.monitoring.database_trouble import ReportedTrouble, get_reported_trouble
from pipeline.monitoring.messages import format_time
from pipeline.monitoring.status import EndpointStatus, get_endpoint_status
from pipeline.processing.failure_limit import get_chain_stop
from pipeline.settings import Settings
from receiver.doctor.database import query_ledger
from receiver.doctor.finding import Finding
from receiver.doctor.redis import find_fault, open_redis

_MICROS = 1_000_000
_REDIS_ADVICE = "Redis accepts no writes: fix that first."
_START_ADVICE = "Start web, worker and beat: `cratewire run` starts them all."
_STOPPED_ADVICE = "The chain stopped because nearly all hooks failed: another row names the error and says what to do."
_STUCK_ADVICE = "Web sends heartbeats and none arrives: are `worker` and `beat` running? Their logs name the cause."


def check_chain(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = query_ledger(settings, lambda conn: (find_last_heartbeat(conn), True))
    if found is not None:
        yield _build_chain_finding(settings, found[0], at)


def _build_chain_finding(settings: Settings, arrival: HeartbeatArrival | None, now: int) -> Finding:
    started_at, advice, trouble = _read_heartbeat_state(settings)
    chain = assess_chain(arrival, started_at, now, settings.heartbeat_seconds)
    if chain.alive is None:
        return Finding("chain", "note", "not monitored", "Set CRATEWIRE_HEARTBEAT_SECONDS to monitor it.")
    if chain.alive:
        return Finding("chain", "ok", "alive")
    if arrival is None and started_at is None:
        return Finding("chain", "note", "has not run yet", advice)
    last = chain.last_heartbeat_seconds
    when = "no heartbeat has ever arrived" if last is None else f"the last heartbeat arrived {last:.0f} s ago"
    why = f"; {trouble.says} ({trouble.code}, reported by {trouble.task})" if trouble else ""
    return Finding("chain", "wrong", f"hooks do not become events; {when}{why}", advice)


def _read_heartbeat_state(settings: Settings) -> tuple[int | None, str, ReportedTrouble | None]:
    """Return since when web sends heartbeats, advice if none arrives, and the database error that tasks reported."""
    with contextlib.closing(open_redis(settings.redis_url)) as client:
        if find_fault(client) is not None:
            return None, _REDIS_ADVICE, None
        started_at: Any = client.get(redis_keys.HEARTBEAT_STARTED)
        trouble, stands = get_reported_trouble(client), get_chain_stop(client)
    if stands is not None:
        return (int(started_at) if started_at else None), _STOPPED_ADVICE, None
    if trouble is not None:
        return (int(started_at) if started_at else None), trouble.advice, trouble
    return (int(started_at), _STUCK_ADVICE, None) if started_at else (None, _START_ADVICE, None)


def check_public_endpoint(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = query_ledger(settings, lambda conn: get_endpoint_status(conn, at))
    if found is not None:
        yield _build_endpoint_finding(settings, found, at)


def _build_endpoint_finding(settings: Settings, proof: EndpointStatus, now: int) -> Finding:
    if not settings.canary_seconds:
        return Finding("way in", "note", "not monitored", "Set CRATEWIRE_CANARY_SECONDS to monitor it.")
    if proof.works is False:
        says = f"canaries to the public URL have not arrived since {format_time(proof.since)}: {proof.fault}"
        advice = (
            "Check CRATEWIRE_PUBLIC_URL, its DNS name, its certificate and the proxy; docs/monitoring.md has a list."
        )
        return Finding("way in", "wrong", says, advice)
    if proof.proven_at is None:
        return Finding("way in", "ok", "not tested yet")
    return Finding("way in", "ok", f"last canary arrived {max(0, now - proof.proven_at) // _MICROS} s ago")
