"""Times as warehouses write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_time(value: Any) -> int | None:
    """Return an ISO 8601 time in µs; without a zone it is taken for UTC. None if it is none, or .NET's empty year 1."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return to_us(parsed) if parsed.year > 1 else None
    except (ValueError, OverflowError):
        return None


def to_us(time: datetime) -> int:
    """Return a time in µs; without a zone it is taken for UTC."""
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def format_date(us: int) -> str:
    """Return "2026-02-02", in UTC."""
    return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%d}"
