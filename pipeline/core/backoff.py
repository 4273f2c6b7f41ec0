"""How long to wait before a retry: our own jittered back-off, and the Retry-After that a server asks for."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random

MAX_BACKOFF_S = 60.0  # a call a minute is no burden on a platform, and its recovery is noticed soon
MAX_RETRY_AFTER_S = 86_400.0  # a server that asks for more than a day is called again after a day
_FIRST_BACKOFF_S = 2.0
_MAX_DOUBLINGS = 20  # far beyond the maximum; keeps the power from growing without bound
_SECONDS_PATTERN = re.compile(r"[0-9]+(?:\.[0-9]*)?")
_MAX_HEADER_CHARS = 64


def full_jitter(attempt: int, rng: Random) -> float:
    """Return a random wait (seconds) between 0 and a bound that doubles with every attempt, counted from 0."""
    doublings = min(max(attempt, 0), _MAX_DOUBLINGS)
    return rng.uniform(0, min(MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2**doublings))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds to wait from `now`, at most a day. None if the header is missing, malformed or in the past."""
    text = (value or "").strip()
    if not text or len(text) > _MAX_HEADER_CHARS:
        return None
    seconds = float(text) if _SECONDS_PATTERN.fullmatch(text) else _seconds_until(text, now)
    return None if seconds is None or seconds < 0 else min(seconds, MAX_RETRY_AFTER_S)


def _seconds_until(text: str, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        zoned = date if date.tzinfo else date.replace(tzinfo=UTC)  # HTTP dates are GMT, with or without the suffix
        return zoned.timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises for malformed dates
        return None
