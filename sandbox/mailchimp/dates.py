"""Times as the API writes and reads them."""

from datetime import UTC, datetime
from typing import Any

from sandbox.mailchimp.problems import invalid_field


def iso(seconds: float | None) -> str:
    """Return a time in seconds since the epoch as ISO 8601, and no time as an empty string."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def read_time(name: str, given: Any) -> float:
    """Return seconds since the epoch. A time without an offset is UTC."""
    try:
        found = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise invalid_field(name, "This value is not a valid datetime.") from None
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()
