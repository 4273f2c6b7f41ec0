"""How likely a store is to tell us something in each hour of its week, and so how surprising a silence is. Pure.

The measure of a silence is the surprise at each of its hours: -ln(the chance that this hour brings nothing). A night in
which nothing ever comes adds next to nothing, so a silence is measured in hours that used to bring something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

HOUR_US = 3_600_000_000
HOURS_PER_DAY, HOURS_PER_WEEK = 24, 168  # hours
# How many hours' worth of evidence the coarser picture (any hour, then this hour of any day) is against the finer one.
PRIOR_HOURS = 3.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Surprise at silence in each hour of the week, and the hours in which silence says nothing."""

    by_hour: tuple[float, ...]  # 168
    excluded_hours: Collection[int]

    def at(self, hour: int) -> float:
        """At silence in this hour since the epoch."""
        return 0.0 if hour in self.excluded_hours else self.by_hour[hour % HOURS_PER_WEEK]

    def anomaly_score(self, since: int, until: int) -> float:
        """At silence from one moment (µs) to another."""
        return sum(self.at(hour) * _get_hour_share(hour, since, until) for hour in _iter_hours(since, until))

    def until(self, since: int, limit: float, latest: int) -> int:
        """When silence since then (µs) is as surprising as this; `latest` if not before."""
        left, at = limit, since
        while at < latest:
            end = (at // HOUR_US + 1) * HOUR_US
            rate = self.at(at // HOUR_US) / HOUR_US
            if rate * (end - at) >= left:
                return min(latest, at + round(left / rate))
            left -= rate * (end - at)
            at = end
        return latest


def build_baseline(active: Collection[int], hours: Iterable[int], excluded_hours: Collection[int]) -> Baseline:
    """What `hours` teach, of which `active` brought something. Hours in `deaf` teach nothing."""
    seen, brought = Counter[int](), Counter[int]()
    for hour in hours:
        if hour not in excluded_hours:
            seen[hour % HOURS_PER_WEEK] += 1
            brought[hour % HOURS_PER_WEEK] += hour in active
    everywhere = (brought.total() + 0.5) / (seen.total() + 1.0)
    daily = [
        _estimate_probability(seen, brought, _get_same_hours(hour, HOURS_PER_DAY), everywhere)
        for hour in range(HOURS_PER_DAY)
    ]
    weekly = [
        _estimate_probability(seen, brought, _get_adjacent_hours(hour), daily[hour % HOURS_PER_DAY])
        for hour in range(HOURS_PER_WEEK)
    ]
    return Baseline(tuple(-math.log1p(-chance) for chance in weekly), excluded_hours)


def _estimate_probability(seen: Counter[int], brought: Counter[int], hours: Iterable[int], prior: float) -> float:
    """That an hour like these brings something."""
    alike = list(hours)
    many, some = sum(seen[hour] for hour in alike), sum(brought[hour] for hour in alike)
    return (some + PRIOR_HOURS * prior) / (many + PRIOR_HOURS)


def _get_adjacent_hours(hour: int) -> tuple[int, ...]:
    """With its neighbours: summer time moves a store's day by an hour, and must not be an alarm."""
    return (hour - 1) % HOURS_PER_WEEK, hour, (hour + 1) % HOURS_PER_WEEK


def _get_same_hours(hour: int, period: int) -> tuple[int, ...]:
    """The same hour of every day of the week, with its neighbours."""
    return tuple(near for start in range(0, HOURS_PER_WEEK, period) for near in _get_adjacent_hours(start + hour))


def _iter_hours(since: int, until: int) -> range:
    return range(since // HOUR_US, -(-until // HOUR_US))


def _get_hour_share(hour: int, since: int, until: int) -> float:
    """How much of an hour lies between."""
    return (min(until, (hour + 1) * HOUR_US) - max(since, hour * HOUR_US)) / HOUR_US
