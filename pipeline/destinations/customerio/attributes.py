"""Fits a profile's flat attributes to Customer.io's limits: reserved names, length of values, number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pipeline.destinations.customerio.limits import MAX_ATTRIBUTE_NAME_BYTES, MAX_ATTRIBUTE_VALUE_BYTES, MAX_ATTRIBUTES
from pipeline.destinations.json_text import MAX_CHARACTER_BYTES, byte_length, truncate

Notes = tuple[str, ...]
_MAX_NOTE_NAME_BYTES = 60

# Customer.io docs, reserved attributes: these change consent, identity or the meaning of the call.
# `unsubscribed` above all: it is set only by the connection's own setting, and never to false.
_RESERVED = frozenset({"unsubscribed", "anonymous_id", "timezone_valid", "_created_in_customerio_at", "_timestamp"})
_RESERVED_PREFIXES = ("cio_", "_update")  # cio_id, cio_relationships, cio_subscription_preferences.topics.…
_PLAIN_TYPES = frozenset({int, bool})
_SAFE_CHARS = MAX_ATTRIBUTE_VALUE_BYTES // MAX_CHARACTER_BYTES
_IDENTIFIERS = frozenset({"id", "email"})  # set from the person, never from the data


def clean_attributes(data: Mapping[str, Any], *, has_profile: bool) -> tuple[dict[str, Any], Notes]:
    """Return the attributes to send, and notes on what was cut or dropped.

    None means that the attribute is to be cleared. Customer.io clears it for an empty string and ignores null. A person
    without a profile has nothing to clear, so None and empty strings are left out then.
    """
    cleaned: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in data.items():
        if name in _IDENTIFIERS or (not has_profile and (value is None or value == "")):
            continue
        if _is_plain(value) and _is_allowed_name(name):  # nearly all of them
            cleaned[name] = value
            continue
        sent, note = _clean_value(name, value)
        if note:
            notes.append(f"{note}:{truncate(name, _MAX_NOTE_NAME_BYTES)}")
        if sent is not None:
            cleaned[name] = sent
    return cleaned, tuple(notes)


def limit_attributes(attributes: dict[str, Any], notes: Notes) -> tuple[dict[str, Any], Notes]:
    """Return the first attributes, as many as one call may carry."""
    surplus = len(attributes) - MAX_ATTRIBUTES
    if surplus <= 0:
        return attributes, notes
    return dict(list(attributes.items())[:MAX_ATTRIBUTES]), (
        *notes,
        f"dropped:{surplus} attributes over {MAX_ATTRIBUTES}",
    )


def _is_plain(value: Any) -> bool:
    """Return whether a cheap test shows that the value can be sent unchanged."""
    kind = type(value)
    return kind in _PLAIN_TYPES or (kind is str and len(value) <= _SAFE_CHARS)


def _clean_value(name: str, value: Any) -> tuple[Any, str | None]:
    """Return the value to send, or None, and what was done to it."""
    if not _is_allowed_name(name):
        return None, "dropped"
    if value is None:
        return "", None
    if isinstance(value, str):
        short = truncate(value, MAX_ATTRIBUTE_VALUE_BYTES)
        return short, None if short == value else "cut"
    if isinstance(value, float):
        return (value, None) if math.isfinite(value) else (None, "dropped")
    return (value, None) if isinstance(value, int) else (None, "dropped")  # bool is an int; lists are dropped


@lru_cache(maxsize=1024)  # the same names in every profile
def _is_allowed_name(name: str) -> bool:
    reserved = name in _RESERVED or name.startswith(_RESERVED_PREFIXES)
    return bool(name) and not reserved and byte_length(name) <= MAX_ATTRIBUTE_NAME_BYTES
