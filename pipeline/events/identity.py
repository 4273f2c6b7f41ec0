"""The identity of an event, which all hooks about it share, and the ids derived from it.

The key consists of the event's name, the identifying fields that its row names, and for windowed rows the day on which
the event was first reported. Message ids are ULIDs of that key and of a time in the body, never of a clock, so that a
retry gets the same id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.catalogue import EventRow
from pipeline.events.fields import US_PER_SECOND, get_first, get_path, parse_time_us
from pipeline.events.ulid import make_ulid

DEDUP_WINDOW_US = 24 * 3600 * US_PER_SECOND  # how long the same body is the same event
MAX_FUTURE_US = 24 * 3600 * US_PER_SECOND  # a body whose own time is later than this is not believed
_FRACTION = re.compile(r"\.\d+Z\Z")  # of a loaded time


@dataclass(frozen=True, slots=True)
class EventIdentity:
    """`base` identifies the event; the key of a windowed one ends with the number of the day of its first hook."""

    base: str
    is_windowed: bool
    received_at: int  # µs
    claimed_at: int | None  # µs, when it happened according to the body

    @property
    def key(self) -> str:
        """The key under which the ledger stores it, if no hook reported it before."""
        return self._key_for_day(self.received_at // DEDUP_WINDOW_US) if self.is_windowed else self.base

    def candidate_keys(self) -> tuple[str, ...]:
        """Return every key under which it may be known: a window may span two days, in either order."""
        if not self.is_windowed:
            return (self.base,)
        day = self.received_at // DEDUP_WINDOW_US
        return tuple(self._key_for_day(number) for number in (day - 1, day, day + 1))

    def is_same_event(self, received_at: int) -> bool:
        """Return whether a known event with one of the candidate keys, first received then, is this event."""
        return not self.is_windowed or abs(self.received_at - received_at) < DEDUP_WINDOW_US

    @property
    def occurred_at(self) -> int:
        """µs of the event according to its body; of its hook if the body has no time, or one in the future."""
        if self.claimed_at is None or self.claimed_at > self.received_at + MAX_FUTURE_US:
            return self.received_at
        return self.claimed_at

    @property
    def ulid_time_ms(self) -> int:
        """The time in its ULIDs: the body's, else the first moment of the window's day, else 0."""
        if self.claimed_at is not None and self.claimed_at >= 0:
            return self.claimed_at // 1000
        return self.received_at // DEDUP_WINDOW_US * DEDUP_WINDOW_US // 1000 if self.is_windowed else 0

    def _key_for_day(self, day: int) -> str:
        return f"{self.base}@{day}"


def identify_event(row: EventRow, data: Mapping[str, Any], fingerprint: str, received_at: int) -> EventIdentity:
    """Return the identity of the event in a loaded body. One without identifying fields gets the body's fingerprint."""
    subject = get_path(data, row.at)
    parts = [get_path(subject, path) for path in row.identity]
    has_key = bool(parts) and all(part is not None for part in parts)
    base = ":".join([row.name, *map(_without_fraction, parts)]) if has_key else f"{row.name}#{fingerprint[:32]}"
    claimed = get_first(subject, row.occurred)
    return EventIdentity(base, row.is_windowed or not has_key, received_at, parse_time_us(claimed))


def _without_fraction(part: object) -> str:
    """Return a part of a key. Hooks may write a time with milliseconds and the API the same time without."""
    return _FRACTION.sub("Z", str(part))


def build_message_id(store: str, identity: EventIdentity, key: str, role: str, email: str | None = None) -> str:
    """Return the ULID of one role's copy. `key` is the recorded key; `email` is a gift recipient's, None otherwise."""
    who = role if email is None else f"{role}:{email}"
    return make_ulid(identity.ulid_time_ms, f"{store}|{key}|{who}")
