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
DAY, WEEK = 24, 168  # hours
# How many hours' worth of evidence the coarser picture (any hour, then this hour of any day) is against the finer one.
PRIOR = 3.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Surprise at silence in each hour of the week, and the hours in which silence says nothing."""

    by_hour: tuple[float, ...]  # 168
    deaf: Collection[int]

    def at(self, hour: int) -> float:
        """At silence in this hour since the epoch."""
        return 0.0 if hour in self.deaf else self.by_hour[hour % WEEK]

    def surprise(self, since: int, until: int) -> float:
        """At silence from one moment (µs) to another."""
        return sum(self.at(hour) * _part(hour, since, until) for hour in _hours(since, until))

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


def rhythm_of(active: Collection[int], hours: Iterable[int], deaf: Collection[int]) -> Rhythm:
    """What `hours` teach, of which `active` brought something. Hours in `deaf` teach nothing."""
    seen, brought = Counter[int](), Counter[int]()
    for hour in hours:
        if hour not in deaf:
            seen[hour % WEEK] += 1
            brought[hour % WEEK] += hour in active
    everywhere = (brought.total() + 0.5) / (seen.total() + 1.0)
    daily = [_chance(seen, brought, _around(hour, DAY), everywhere) for hour in range(DAY)]
    weekly = [_chance(seen, brought, _near(hour), daily[hour % DAY]) for hour in range(WEEK)]
    return Rhythm(tuple(-math.log1p(-chance) for chance in weekly), deaf)


def _chance(seen: Counter[int], brought: Counter[int], hours: Iterable[int], prior: float) -> float:
    """That an hour like these brings something."""
    alike = list(hours)
    many, some = sum(seen[hour] for hour in alike), sum(brought[hour] for hour in alike)
    return (some + PRIOR * prior) / (many + PRIOR)


def _near(hour: int) -> tuple[int, ...]:
    """With its neighbours: summer time moves a store's day by an hour, and must not be an alarm."""
    return (hour - 1) % WEEK, hour, (hour + 1) % WEEK


def _around(hour: int, period: int) -> tuple[int, ...]:
    """The same hour of every day of the week, with its neighbours."""
    return tuple(near for start in range(0, WEEK, period) for near in _near(start + hour))


def _hours(since: int, until: int) -> range:
    return range(since // HOUR_US, -(-until // HOUR_US))


def _part(hour: int, since: int, until: int) -> float:
    """How much of an hour lies between."""
    return (min(until, (hour + 1) * HOUR_US) - max(since, hour * HOUR_US)) / HOUR_US
