"""Learns from a store's past how long it may be silent, for one event or for any. Pure.

A silence is measured by its surprise (see `rhythm`). What is nothing unusual is learned from the silences there have
been: more than the second longest of them by half, and then some. The longest may have been a fault nobody noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.ledger.monitoring.activity import HOUR_US, ActiveHour
from pipeline.monitoring.baseline import Baseline, build_baseline

DAY_US = 24 * HOUR_US
MAX_HISTORY_US = 105 * DAY_US  # three of whatever happens once a month
MIN_HISTORY_US = 14 * DAY_US  # of history, and without the longest silence: two of every day of the week
MIN_SILENCES = 20
THRESHOLD_FACTOR = 1.5
THRESHOLD_MARGIN = 3.0  # of surprise: once in twenty times by chance, however regular the past was
MIN_SILENCE_US = HOUR_US  # nobody is alarmed sooner
MAX_SILENCE_US = 60 * DAY_US  # nobody is left in peace for longer


@dataclass(frozen=True, slots=True)
class SilenceThreshold:
    """How surprising a silence may be."""

    baseline: Baseline
    limit: float

    def due(self, last_at: int) -> int:
        """By when (µs) the next hook should be here if the last came then."""
        at = self.baseline.until(last_at, self.limit, last_at + MAX_SILENCE_US)
        return max(at, last_at + MIN_SILENCE_US)


def learn_threshold(
    hours: Sequence[ActiveHour], excluded_hours: Collection[int] = frozenset()
) -> SilenceThreshold | None:
    """What these hours, oldest first, teach; None if they are too few. `deaf`: hours in which we could not hear."""
    if len(hours) <= MIN_SILENCES:
        return None
    first, last = hours[0], hours[-1]
    rhythm = build_baseline({one.hour for one in hours}, range(first.hour, last.hour + 1), excluded_hours)
    silences = sorted(
        (
            rhythm.anomaly_score(before.last_at, after.first_at),
            _get_observed_us(before.last_at, after.first_at, excluded_hours),
        )
        for before, after in pairwise(hours)
    )
    whole = _get_observed_us(first.first_at, last.last_at, excluded_hours)
    if whole - silences[-1][1] < MIN_HISTORY_US:
        return None
    return SilenceThreshold(rhythm, THRESHOLD_FACTOR * silences[-2][0] + THRESHOLD_MARGIN)


def merge_events(by_event: Iterable[Sequence[ActiveHour]]) -> list[ActiveHour]:
    """The hours in which anything was told, oldest first."""
    found: dict[int, ActiveHour] = {}
    for hours in by_event:
        for one in hours:
            same = found.get(one.hour, one)
            found[one.hour] = ActiveHour(one.hour, min(same.first_at, one.first_at), max(same.last_at, one.last_at))
    return [found[hour] for hour in sorted(found)]


def hours_between(since: int, until: int) -> range:
    """The hours a time in which we could not hear lies in."""
    return range(since // HOUR_US, until // HOUR_US + 1)


def _get_observed_us(since: int, until: int, excluded_hours: Collection[int]) -> int:
    """How much of a time (µs) we could hear in, give or take an hour."""
    unheard = sum(since // HOUR_US <= hour <= until // HOUR_US for hour in excluded_hours)
    return until - since - HOUR_US * unheard
