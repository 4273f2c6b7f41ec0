"""Reads values of loaded bodies by dotted path, and loaded times as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

US_PER_SECOND = 1_000_000  # µs


def get_path(data: object, path: str) -> Any:
    """`get_path({"a": {"b": 1}}, "a.b")` is 1; anything missing on the way is None; "" is the object itself."""
    for key in path.split(".") if path else ():
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def get_first(data: object, paths: Iterable[str]) -> Any:
    """Return the value of the first path that leads to something other than None."""
    for path in paths:
        value = get_path(data, path)
        if value is not None:
            return value
    return None


@lru_cache(maxsize=4096)  # every event of a person parses all times known of them again
def parse_time_us(text: str | None) -> int | None:
    """Return the µs since the epoch of a loaded time (`2026-03-02T17:04:31Z`), None for None."""
    if text is None:
        return None
    return int(datetime.fromisoformat(text).timestamp() * 1000) * 1000


def parse_time_s(text: str | None) -> int | None:
    """Return the Unix seconds of a loaded time, None for None."""
    time_us = parse_time_us(text)
    return None if time_us is None else time_us // US_PER_SECOND


def format_time(time_us: int) -> str:
    """Return µs since the epoch as a loaded time, to the second."""
    return datetime.fromtimestamp(time_us // US_PER_SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
