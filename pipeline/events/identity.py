"""What makes two hooks tell the same happening, and the ids that follow from it.

A happening's key is its event, the identity its row names, and for rows with a window the day it was first told.
Its message ids are ULIDs of that key and of a time in the body: never of a clock, so a retry gets the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import US_PER_SECOND, get_first, get_path, parse_time_us
from pipeline.events.ulid import make_ulid

DEDUP_WINDOW_US = 24 * 3600 * US_PER_SECOND  # how long the same body is the same happening
MAX_FUTURE_US = 24 * 3600 * US_PER_SECOND  # a body that says it happens later than this is not believed
_FRACTION = re.compile(r"\.\d+Z\Z")  # of a loaded time


@dataclass(frozen=True, slots=True)
class EventIdentity:
    """`base` names what happened; a windowed one gets the number of the day it was first told."""

    base: str
    is_windowed: bool
    received_at: int
    told_at: int | None  # µs, as the body says

    @property
    def key(self) -> str:
        """The key under which the ledger knows it, if nobody told it before."""
        return self._key_for_day(self.received_at // DEDUP_WINDOW_US) if self.is_windowed else self.base

    def candidate_keys(self) -> tuple[str, ...]:
        """Every key under which it may be known already: a window may straddle two days, in either order."""
        if not self.is_windowed:
            return (self.base,)
        day = self.received_at // DEDUP_WINDOW_US
        return tuple(self._key_for_day(number) for number in (day - 1, day, day + 1))

    def is_same_event(self, received_at: int) -> bool:
        """Whether a candidate first told at `received_at` is this happening."""
        return not self.is_windowed or abs(self.received_at - received_at) < DEDUP_WINDOW_US

    @property
    def occurred_at(self) -> int:
        """When it happened: as told, unless the body tells of the future; else when we heard of it."""
        if self.told_at is None or self.told_at > self.received_at + MAX_FUTURE_US:
            return self.received_at
        return self.told_at

    @property
    def ulid_time_ms(self) -> int:
        """The time inside the ULIDs: as told, else the window's first moment, else none (0)."""
        if self.told_at is not None and self.told_at >= 0:
            return self.told_at // 1000
        return self.received_at // DEDUP_WINDOW_US * DEDUP_WINDOW_US // 1000 if self.is_windowed else 0

    def _key_for_day(self, day: int) -> str:
        return f"{self.base}@{day}"


def identify_event(row: EventRow, data: Mapping[str, Any], fingerprint: str, received_at: int) -> EventIdentity:
    """The happening a loaded body tells. A body without its natural key falls back to its fingerprint."""
    subject = get_path(data, row.at)
    parts = [get_path(subject, path) for path in row.identity]
    natural = bool(parts) and all(part is not None for part in parts)
    base = ":".join([row.name, *map(_without_fraction, parts)]) if natural else f"{row.name}#{fingerprint[:32]}"
    told = get_first(subject, row.occurred)
    return EventIdentity(base, row.is_windowed or not natural, received_at, parse_time_us(told))


def _without_fraction(part: object) -> str:
    """A part of a key. Hooks may write times in milliseconds, the API writes none: it is the same moment."""
    return _FRACTION.sub("Z", str(part))


def build_message_id(store: str, identity: EventIdentity, key: str, role: str, email: str | None = None) -> str:
    """The ULID of one role's copy. `key` is the key the ledger recorded; a recipient's copy names the recipient."""
    who = role if email is None else f"{role}:{email}"
    return make_ulid(identity.ulid_time_ms, f"{store}|{key}|{who}")
