"""Fits an event's nested data to Customer.io's limits: no nulls, no reserved names, texts cut where it is too long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipeline.destinations.customerio.limits import MAX_EVENT_DATA_BYTES
from pipeline.destinations.json_text import to_json, truncate

Notes = tuple[str, ...]

# Customer.io docs, events: at the top level these override a campaign's own settings.
_RESERVED = frozenset({"recipient", "from_address", "reply_to"})
_PLAIN_TYPES = frozenset({str, int, bool})
_TEXT_LIMITS_BYTES = (10_000, 2_000, 500, 100)


def clean_event_data(data: Mapping[str, Any]) -> tuple[dict[str, Any], Notes]:
    """Return the data without nulls and NaN, and notes on the names that were changed."""
    clean = _clean_object(data)
    reserved = sorted(_RESERVED & clean.keys())
    for name in reserved:
        clean[_free_name(name, clean)] = clean.pop(name)
    return clean, tuple(f"renamed:{name}" for name in reserved)


def shorten_to_fit(data: dict[str, Any]) -> tuple[dict[str, Any], Notes] | None:
    """Return the data with its texts cut as little as possible, or None if cutting them does not make it fit."""
    if len(to_json(data)) <= MAX_EVENT_DATA_BYTES:
        return data, ()
    for limit in _TEXT_LIMITS_BYTES:
        shorter = _shorten(data, limit)
        if len(to_json(shorter)) <= MAX_EVENT_DATA_BYTES:
            return shorter, (f"cut:texts over {limit} bytes",)
    return None


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


def _shorten(value: Any, limit: int) -> Any:
    if isinstance(value, dict):
        return {key: _shorten(item, limit) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item, limit) for item in value]
    return truncate(value, limit) if isinstance(value, str) else value
