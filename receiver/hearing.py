"""What the doctor says of the way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.settings import Settings
from pipeline.silence.proof import Proof, way_in
from pipeline.silence.words import when
from receiver.asking import asked
from receiver.finding import Finding

_MICROS = 1_000_000


def look_at_hearing(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = asked(settings, lambda db: way_in(db, at))
    if found is not None:
        yield _way_in(settings, found, at)


def _way_in(settings: Settings, proof: Proof, now: int) -> Finding:
    if not settings.canary_seconds:
        return Finding("way in", "note", "not watched", "Set CRATEWIRE_CANARY_SECONDS, so that it is.")
    if proof.works is False:
        says = f"hooks to the public address have not come back since {when(proof.since)}: {proof.fault}"
        advice = "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/silence.md has a list."
        return Finding("way in", "wrong", says, advice)
    if proof.proven_at is None:
        return Finding("way in", "ok", "not tried yet")
    return Finding("way in", "ok", f"proven {max(0, now - proof.proven_at) // _MICROS} s ago")
