"""Learns from a store's past how long it may be silent, for one event or for any.

A silence is measured by its anomaly score (see `baseline`). Threshold: 1.5 times the second-highest past score, plus a
margin. The highest may have been an outage that was not noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.ledger.monitoring.rows import HOUR_US, ActiveHour
from pipeline.monitoring.baseline import Baseline, build_baseline

DAY_US = 24 * HOUR_US
MAX_HISTORY_US = 105 * DAY_US  # three times anything that occurs once a month
MIN_HISTORY_US = 14 * DAY_US  # without the longest silence: each day of the week twice
MIN_SILENCES = 20
THRESHOLD_FACTOR = 1.5
THRESHOLD_MARGIN = 3.0  # e⁻³: by chance once in twenty times, however regular the past was
MIN_SILENCE_US = HOUR_US  # no alarm opens sooner
MAX_SILENCE_US = 60 * DAY_US  # an alarm opens then at the latest


@dataclass(frozen=True, slots=True)
class SilenceThreshold:
    """The highest score that is not an alarm."""

    baseline: Baseline
    max_score: float

    def get_due_at(self, last_at: int) -> int:
        """When (µs) the next hook is overdue, if the last came at `last_at`."""
        at = self.baseline.find_time_of_score(last_at, self.max_score, last_at + MAX_SILENCE_US)
        return max(at, last_at + MIN_SILENCE_US)


def learn_threshold(
    hours: Sequence[ActiveHour], excluded_hours: Collection[int] = frozenset()
) -> SilenceThreshold | None:
    """Learn from active hours, the oldest first; None if they are too few. `excluded_hours`: those of known outages."""
    if len(hours) <= MIN_SILENCES:
        return None
    first, last = hours[0], hours[-1]
    baseline = build_baseline({active.hour for active in hours}, range(first.hour, last.hour + 1), excluded_hours)
    silences = sorted(
        (
            baseline.anomaly_score(before.last_at, after.first_at),
            _get_observed_us(before.last_at, after.first_at, excluded_hours),
        )
        for before, after in pairwise(hours)
    )
    observed_us = _get_observed_us(first.first_at, last.last_at, excluded_hours)
    if observed_us - silences[-1][1] < MIN_HISTORY_US:
        return None
    return SilenceThreshold(baseline, THRESHOLD_FACTOR * silences[-2][0] + THRESHOLD_MARGIN)


def merge_events(by_event: Iterable[Sequence[ActiveHour]]) -> list[ActiveHour]:
    """The hours in which any of the events came, the oldest first."""
    merged: dict[int, ActiveHour] = {}
    for hours in by_event:
        for active in hours:
            other = merged.get(active.hour, active)
            first_at, last_at = min(other.first_at, active.first_at), max(other.last_at, active.last_at)
            merged[active.hour] = ActiveHour(active.hour, first_at, last_at)
    return [merged[hour] for hour in sorted(merged)]


def hours_between(since: int, until: int) -> range:
    """The hours, since the epoch, that contain an outage."""
    return range(since // HOUR_US, until // HOUR_US + 1)


def _get_observed_us(since: int, until: int, excluded_hours: Collection[int]) -> int:
    """How much of a span (µs) lies outside the excluded hours, to within an hour."""
    excluded = sum(since // HOUR_US <= hour <= until // HOUR_US for hour in excluded_hours)
    return until - since - HOUR_US * excluded
