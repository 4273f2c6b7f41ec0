"""Baseline model: how likely a store is to send a hook in each hour of its week, and the anomaly score of a silence.

The score of a silence is the sum over its hours of -ln(probability that no hook comes in that hour). A night without
hooks adds next to nothing, so a silence is measured in hours that usually have hooks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

HOUR_US = 3_600_000_000
HOURS_PER_DAY, HOURS_PER_WEEK = 24, 168  # hours
# The weight, in hours of evidence, of the coarser estimate (any hour, then this hour of any day) in the finer one.
PRIOR_HOURS = 3.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The score of silence in each hour of the week. `excluded_hours` (since the epoch) score nothing."""

    by_hour: tuple[float, ...]  # 168
    excluded_hours: Collection[int]

    def score_hour(self, hour: int) -> float:
        """The score of silence in this hour since the epoch."""
        return 0.0 if hour in self.excluded_hours else self.by_hour[hour % HOURS_PER_WEEK]

    def anomaly_score(self, since: int, until: int) -> float:
        """The score of silence from one time (µs) to another."""
        return sum(self.score_hour(hour) * _get_hour_share(hour, since, until) for hour in _iter_hours(since, until))

    def find_time_of_score(self, since: int, score: float, latest: int) -> int:
        """When a silence that began at `since` (µs) reaches this score; `latest` if not before."""
        left, at = score, since
        while at < latest:
            end = (at // HOUR_US + 1) * HOUR_US
            rate = self.score_hour(at // HOUR_US) / HOUR_US
            if rate * (end - at) >= left:
                return min(latest, at + round(left / rate))
            left -= rate * (end - at)
            at = end
        return latest


def build_baseline(active: Collection[int], hours: Iterable[int], excluded_hours: Collection[int]) -> Baseline:
    """Learn from `hours`, of which `active` had hooks. Excluded hours count neither way."""
    seen, had_hooks = Counter[int](), Counter[int]()
    for hour in hours:
        if hour not in excluded_hours:
            seen[hour % HOURS_PER_WEEK] += 1
            had_hooks[hour % HOURS_PER_WEEK] += hour in active
    overall = (had_hooks.total() + 0.5) / (seen.total() + 1.0)
    daily = [
        _estimate_probability(seen, had_hooks, _get_same_hours(hour, HOURS_PER_DAY), overall)
        for hour in range(HOURS_PER_DAY)
    ]
    weekly = [
        _estimate_probability(seen, had_hooks, _get_adjacent_hours(hour), daily[hour % HOURS_PER_DAY])
        for hour in range(HOURS_PER_WEEK)
    ]
    return Baseline(tuple(-math.log1p(-probability) for probability in weekly), excluded_hours)


def _estimate_probability(seen: Counter[int], had_hooks: Counter[int], hours: Iterable[int], prior: float) -> float:
    """The probability that an hour like these has hooks."""
    similar = list(hours)
    total, active = sum(seen[hour] for hour in similar), sum(had_hooks[hour] for hour in similar)
    return (active + PRIOR_HOURS * prior) / (total + PRIOR_HOURS)


def _get_adjacent_hours(hour: int) -> tuple[int, ...]:
    """An hour with its neighbours: summer time moves a store's day by an hour, and must not raise an alarm."""
    return (hour - 1) % HOURS_PER_WEEK, hour, (hour + 1) % HOURS_PER_WEEK


def _get_same_hours(hour: int, period: int) -> tuple[int, ...]:
    """The same hour of every day of the week, with its neighbours."""
    return tuple(near for start in range(0, HOURS_PER_WEEK, period) for near in _get_adjacent_hours(start + hour))


def _iter_hours(since: int, until: int) -> range:
    return range(since // HOUR_US, -(-until // HOUR_US))


def _get_hour_share(hour: int, since: int, until: int) -> float:
    """The part of an hour that lies between two times."""
    return (min(until, (hour + 1) * HOUR_US) - max(since, hour * HOUR_US)) / HOUR_US
