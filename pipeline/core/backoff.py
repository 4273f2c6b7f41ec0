"""How long to wait: our own jittered back-off, and what a platform asks for in Retry-After."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random

MAX_BACKOFF_S = 60.0  # seconds; one call a minute burdens nobody, and a platform that is back is noticed soon
MAX_RETRY_AFTER_S = 86_400.0  # a server that asks for more than a day is asked again after a day
_FIRST_BACKOFF_S = 2.0
_MAX_DOUBLINGS = 20  # far beyond the cap, and no number grows without end
_SECONDS_PATTERN = re.compile(r"[0-9]+(?:\.[0-9]*)?")
_MAX_HEADER_CHARS = 64


def full_jitter(attempt: int, rng: Random) -> float:
    """Anything between nothing and a bound that doubles with every attempt, the first being 0."""
    doublings = min(max(attempt, 0), _MAX_DOUBLINGS)
    return rng.uniform(0, min(MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2**doublings))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds from `now`, at most a day. None if the header is missing, unreadable or in the past."""
    text = (value or "").strip()
    if not text or len(text) > _MAX_HEADER_CHARS:
        return None
    seconds = float(text) if _SECONDS_PATTERN.fullmatch(text) else _seconds_until(text, now)
    return None if seconds is None or seconds < 0 else min(seconds, MAX_RETRY_AFTER_S)


def _seconds_until(text: str, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        zoned = date if date.tzinfo else date.replace(tzinfo=UTC)  # HTTP dates are GMT, named or not
        return zoned.timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises for odd texts
        return None
