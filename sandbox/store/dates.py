"""Simulated dates: seconds since the epoch inside, ISO-8601 text with a Z in stored objects."""

import calendar
from datetime import UTC, datetime

HOUR = 3600
DAY = 24 * HOUR


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> int:
    """Read `2026-03-02T17:04:31Z`, a blank for the T, a fraction, an offset (else it is UTC), or a bare date."""
    return calendar.timegm(datetime.fromisoformat(text.strip()).utctimetuple())


def midnight(moment: int) -> int:
    return moment - moment % DAY


def add_months(moment: int, months: int) -> int:
    """The same day and time some months later, or the last day of a month too short for it."""
    then = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    day = min(then.day, calendar.monthrange(year, month + 1)[1])
    return int(then.replace(year=year, month=month + 1, day=day).timestamp())
