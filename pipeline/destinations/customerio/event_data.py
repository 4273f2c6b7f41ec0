"""Fits an event's nested data to Customer.io's limits: no nulls, no reserved names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Notes = tuple[str, ...]

# Customer.io docs, events: at the top level these override a campaign's own settings.
_RESERVED = frozenset({"recipient", "from_address", "reply_to"})
_PLAIN_TYPES = frozenset({str, int, bool})


def clean_event_data(data: Mapping[str, Any]) -> tuple[dict[str, Any], Notes]:
    """Return the data without nulls and NaN, and notes on the names that were changed."""
    clean = _clean_object(data)
    reserved = sorted(_RESERVED & clean.keys())
    for name in reserved:
        clean[_free_name(name, clean)] = clean.pop(name)
    return clean, tuple(f"renamed:{name}" for name in reserved)


def _free_name(name: str, data: Mapping[str, Any]) -> str:
    name = f"{name}_"
    return _free_name(name, data) if name in data else name


def _clean(value: Any) -> Any:
    if isinstance(value, (dict, Mapping)):  # dict first: asking for a Mapping is slow
        return _clean_object(value)
    if isinstance(value, list | tuple):
        return [item if type(item) in _PLAIN_TYPES else _clean(item) for item in value if not _is_empty(item)]
    return value


def _clean_object(data: Mapping[str, Any]) -> dict[str, Any]:
    """Clean a mapping. Written out for speed: it runs for every value sent."""
    clean: dict[str, Any] = {}
    for key, value in data.items():
        kind = type(value)
        if kind in _PLAIN_TYPES:
            clean[str(key)] = value
        elif kind is dict:
            clean[str(key)] = _clean_object(value)
        elif not _is_empty(value):
            clean[str(key)] = _clean(value)
    return clean


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
