"""Learns from a store's past how long it may be silent, for one event or for any. Pure.

A silence is measured by its surprise (see `rhythm`). What is nothing unusual is learned from the silences there have
been: more than the second longest of them by half, and then some. The longest may have been a fault nobody noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.ledger.silence.heard import HOUR_US, Heard
from pipeline.silence.rhythm import Rhythm, rhythm_of

DAY_US = 24 * HOUR_US
HISTORY_US = 105 * DAY_US  # three of whatever happens once a month
LEAST_US = 14 * DAY_US  # of history, and without the longest silence: two of every day of the week
LEAST_SILENCES = 20
FACTOR = 1.5
MARGIN = 3.0  # of surprise: once in twenty times by chance, however regular the past was
SHORTEST_US = HOUR_US  # nobody is alarmed sooner
LONGEST_US = 60 * DAY_US  # nobody is left in peace for longer


@dataclass(frozen=True, slots=True)
class Learned:
    """How surprising a silence may be."""

    rhythm: Rhythm
    limit: float

    def due(self, last_at: int) -> int:
        """By when (µs) the next hook should be here if the last came then."""
        at = self.rhythm.until(last_at, self.limit, last_at + LONGEST_US)
        return max(at, last_at + SHORTEST_US)


def learn(heard: Sequence[Heard], deaf: Collection[int] = frozenset()) -> Learned | None:
    """What these hours, oldest first, teach; None if they are too few. `deaf`: hours in which we could not hear."""
    if len(heard) <= LEAST_SILENCES:
        return None
    first, last = heard[0], heard[-1]
    rhythm = rhythm_of({one.hour for one in heard}, range(first.hour, last.hour + 1), deaf)
    silences = sorted(
        (rhythm.surprise(before.last_at, after.first_at), _heard_in(before.last_at, after.first_at, deaf))
        for before, after in pairwise(heard)
    )
    whole = _heard_in(first.first_at, last.last_at, deaf)
    if whole - silences[-1][1] < LEAST_US:
        return None
    return Learned(rhythm, FACTOR * silences[-2][0] + MARGIN)


def any_event(by_event: Iterable[Sequence[Heard]]) -> list[Heard]:
    """The hours in which anything was told, oldest first."""
    found: dict[int, Heard] = {}
    for hours in by_event:
        for one in hours:
            same = found.get(one.hour, one)
            found[one.hour] = Heard(one.hour, min(same.first_at, one.first_at), max(same.last_at, one.last_at))
    return [found[hour] for hour in sorted(found)]


def hours_between(since: int, until: int) -> range:
    """The hours a time in which we could not hear lies in."""
    return range(since // HOUR_US, until // HOUR_US + 1)


def _heard_in(since: int, until: int, deaf: Collection[int]) -> int:
    """How much of a time (µs) we could hear in, give or take an hour."""
    unheard = sum(since // HOUR_US <= hour <= until // HOUR_US for hour in deaf)
    return until - since - HOUR_US * unheard
