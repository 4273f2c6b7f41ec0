"""A profile's flat attributes as Customer.io takes them: reserved names kept out, values cut, none too many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pipeline.destinations.customerio.limits import (
    ATTRIBUTE_NAME_BYTES,
    ATTRIBUTE_VALUE_BYTES,
    ATTRIBUTES,
    LONGEST_CHARACTER,
    cut,
    size,
)

Notes = tuple[str, ...]
_NAME_IN_NOTE = 60

# Customer.io docs, reserved attributes: these change consent, identity or the meaning of the call.
# `unsubscribed` above all: no hook of a store tells us what a person wants to receive.
_RESERVED = frozenset({"unsubscribed", "anonymous_id", "timezone_valid", "_created_in_customerio_at", "_timestamp"})
_RESERVED_PREFIXES = ("cio_", "_update")  # cio_id, cio_relationships, cio_subscription_preferences.topics.…
_WHOLE = frozenset({int, bool})
_CERTAINLY_SHORT = ATTRIBUTE_VALUE_BYTES // LONGEST_CHARACTER
_IDENTIFIERS = frozenset({"id", "email"})  # set from the person, never from the data


def attributes_of(data: Mapping[str, Any], *, introduced: bool) -> tuple[dict[str, Any], Notes]:
    """What may go out, and notes on what was cut or dropped.

    None means "clear it". An empty string does that, null is ignored; somebody who has no profile yet has
    nothing to clear. So an empty text is no value, and is treated as None is.
    """
    kept: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in data.items():
        if name in _IDENTIFIERS or (not introduced and (value is None or value == "")):
            continue
        if _is_plain(value) and _allowed(name):  # nearly all of them
            kept[name] = value
            continue
        sent, note = _attribute(name, value)
        if note:
            notes.append(f"{note}:{cut(name, _NAME_IN_NOTE)}")
        if sent is not None:
            kept[name] = sent
    return kept, tuple(notes)


def at_most(attributes: dict[str, Any], notes: Notes) -> tuple[dict[str, Any], Notes]:
    """The first attributes, as many as one call may carry."""
    surplus = len(attributes) - ATTRIBUTES
    if surplus <= 0:
        return attributes, notes
    return dict(list(attributes.items())[:ATTRIBUTES]), (*notes, f"dropped:{surplus} attributes over {ATTRIBUTES}")


def _is_plain(value: Any) -> bool:
    """Whether it goes out as it is, as can be told without a closer look."""
    kind = type(value)
    return kind in _WHOLE or (kind is str and len(value) <= _CERTAINLY_SHORT)


def _attribute(name: str, value: Any) -> tuple[Any, str | None]:
    """The value to send, None if there is none, and what was done to it."""
    if not _allowed(name):
        return None, "dropped"
    if value is None:
        return "", None
    if isinstance(value, str):
        short = cut(value, ATTRIBUTE_VALUE_BYTES)
        return short, None if short == value else "cut"
    if isinstance(value, float):
        return (value, None) if math.isfinite(value) else (None, "dropped")
    return (value, None) if isinstance(value, int) else (None, "dropped")  # bool is an int; lists stay at home


@lru_cache(maxsize=1024)  # the same names in every profile
def _allowed(name: str) -> bool:
    reserved = name in _RESERVED or name.startswith(_RESERVED_PREFIXES)
    return bool(name) and not reserved and size(name) <= ATTRIBUTE_NAME_BYTES
