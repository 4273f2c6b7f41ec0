"""The hash chain over a store's events. One changed line changes all after it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

FIRST_HASH = "0" * 64  # before the first event of a store


class ChainLine(NamedTuple):
    """An event as the chain has it. `received_at` is in µs."""

    event_id: int
    received_at: int
    identity: str

    def __str__(self) -> str:
        """The line. The identity is hashed, so that lines can be shown to others."""
        return f"{self.event_id} {self.received_at} {sha256(self.identity.encode()).hexdigest()}"


def extend_chain(previous: str, lines: Iterable[ChainLine]) -> tuple[str, int]:
    """Return the hash after these lines, and how many they were: each hash is that of the one before and its line."""
    count = 0
    for line in lines:
        previous = sha256(f"{previous} {line}".encode()).hexdigest()
        count += 1
    return previous, count
