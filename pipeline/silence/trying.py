"""Has everything tried about a silence before anybody is told, and collects what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from pipeline.ledger.silence.alarms import SILENCE, AlarmRow, note_tried, open_alarms
from pipeline.silence.attempts import ATTEMPTS, Attempt, Case

PATIENCE_US = 600_000_000  # then the alarm goes out without the sentences that are missing


@dataclass(frozen=True, slots=True)
class Means:
    """What attempts need of the outside. Seconds; 0: switched off."""

    heartbeat_seconds: float
    canary_seconds: float
    nonce: Callable[[], str]


def begin(db: Connection, means: Means, store_id: int, now: int, attempts: Sequence[Attempt] = ATTEMPTS) -> None:
    """Begin whatever can be tried for a store of which an alarm was opened now."""
    mine = [one for one in open_alarms(db, store_id, SILENCE) if one.since == now]
    for attempt in attempts if mine else ():
        if attempt.begin:
            attempt.begin(db, _case(means, mine, now))


def collect(db: Connection, means: Means, now: int, attempts: Sequence[Attempt] = ATTEMPTS) -> None:
    """Write down what was tried, for every alarm whose attempts have all come to an end, or had their time."""
    untried = [one for one in open_alarms(db, kind=SILENCE) if one.tried_at is None]
    for _, alarms in groupby(sorted(untried, key=_occasion), key=_occasion):
        together = list(alarms)
        said = _said(db, _case(means, together, now), attempts)
        if said is not None:
            note_tried(db, [one.id for one in together], said, now)


def _said(db: Connection, case: Case, attempts: Sequence[Attempt]) -> list[str] | None:
    sentences = [(attempt.name, attempt.says(db, case)) for attempt in attempts]
    if any(said is None for _, said in sentences) and case.now < case.since + PATIENCE_US:
        return None
    return [said or f"Nothing came of {name} within ten minutes." for name, said in sentences]


def _occasion(alarm: AlarmRow) -> tuple[int, int]:
    """Alarms of one store that were opened together are tried together."""
    return alarm.store_id or 0, alarm.since


def _case(means: Means, alarms: Sequence[AlarmRow], now: int) -> Case:
    first = alarms[0]
    last_at = min(one.last_at or 0 for one in alarms)
    return Case(
        first.store_id or 0,
        first.store or "",
        last_at,
        first.since,
        now,
        means.heartbeat_seconds,
        means.canary_seconds,
        means.nonce,
    )
