"""Reads values out of loaded bodies by dotted paths, and loaded times as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

US_PER_SECOND = 1_000_000  # µs


def get_path(data: object, path: str) -> Any:
    """`dig({"a": {"b": 1}}, "a.b")` is 1; anything missing on the way is None; "" is the object itself."""
    for key in path.split(".") if path else ():
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def get_first(data: object, paths: Iterable[str]) -> Any:
    """The first path that leads to something other than None."""
    for path in paths:
        value = get_path(data, path)
        if value is not None:
            return value
    return None


@lru_cache(maxsize=4096)  # what is known of a person is looked at again with every event
def parse_time_us(text: str | None) -> int | None:
    """µs since the epoch of a loaded time (`2026-03-02T17:04:31Z`), None for None."""
    if text is None:
        return None
    return int(datetime.fromisoformat(text).timestamp() * 1000) * 1000


def parse_time_s(text: str | None) -> int | None:
    """Unix seconds of a loaded time."""
    at = parse_time_us(text)
    return None if at is None else at // US_PER_SECOND


def format_time(at: int) -> str:
    """A loaded time from µs, to the second."""
    return datetime.fromtimestamp(at // US_PER_SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
