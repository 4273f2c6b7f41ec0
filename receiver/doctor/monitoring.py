"""What the doctor says of the way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.monitoring.canary_status import EndpointStatus, get_endpoint_status
from pipeline.monitoring.messages import format_time
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.doctor.ledger import query_ledger

_MICROS = 1_000_000


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
        advice = "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/silence.md has a list."
        return Finding("way in", "wrong", says, advice)
    if proof.proven_at is None:
        return Finding("way in", "ok", "not tried yet")
    return Finding("way in", "ok", f"proven {max(0, now - proof.proven_at) // _MICROS} s ago")
