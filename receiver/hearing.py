"""What the doctor says of the way in and of silent stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.settings import Settings
from pipeline.silence.hearing import Hearing, hearing
from pipeline.silence.proof import Proof
from pipeline.silence.words import sentence_of, when
from receiver.asking import asked
from receiver.finding import Finding

_MICROS = 1_000_000


def look_at_hearing(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    at = round(now() * _MICROS)
    found = asked(settings, lambda db: hearing(db, at))
    if found is None:
        return
    yield _way_in(settings, found.way_in, at)
    yield _silence(found)


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


def _silence(found: Hearing) -> Finding:
    silent = [one for one in found.alarms if one.store_id is not None]
    if not silent:
        return Finding("silence", "ok", "no store is silent that should not be")
    return Finding("silence", "note", sentence_of(silent[0]), "`cratewire alarms list` says what was tried.")
