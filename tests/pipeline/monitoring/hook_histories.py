"""Pasts of stores: when their hooks came. Monday 2026-01-05, 00:00 UTC is the beginning."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable

from pipeline.ledger.monitoring.rows import HOUR_US, ActiveHour

BEGIN = 490_992  # the hour of 2026-01-05T00:00Z, a Monday
DAY, WEEK = 24, 168


def hour_us(hour: float) -> int:
    """µs, so many hours after the beginning."""
    return round((BEGIN + hour) * HOUR_US)


def active_hours_at(hours: Iterable[float]) -> list[ActiveHour]:
    """Hooks at these hours after the beginning, oldest first."""
    found: dict[int, ActiveHour] = {}
    for moment in map(hour_us, hours):
        hour = moment // HOUR_US
        before = found.get(hour, ActiveHour(hour, moment, moment))
        found[hour] = ActiveHour(hour, min(before.first_at, moment), max(before.last_at, moment))
    return [found[hour] for hour in sorted(found)]


def every_week(hours: Collection[int], weeks: int, minute: float = 0.5) -> list[float]:
    """In each of these hours of every week."""
    return [week * WEEK + hour + minute for week in range(weeks) for hour in sorted(hours)]


def every_day(hours: Collection[int], days: int) -> list[float]:
    """In each of these hours of every day."""
    return [day * DAY + hour + 0.5 for day in range(days) for hour in sorted(hours)]


def at_random(a_day: float, days: int, seed: int) -> list[float]:
    """So many a day, from seven to midnight, fewer at the weekend."""
    rng, found = random.Random(seed), []
    for hour in range(days * DAY):
        weight = 0.0 if hour % DAY < 7 else 0.4 if hour % WEEK >= 5 * DAY else 1.7
        moment = rng.expovariate(a_day * weight / DAY) if weight else 1.0
        while moment < 1:
            found.append(hour + moment)
            moment += rng.expovariate(a_day * weight / DAY)
    return found
