"""The events that stores' APIs have shown, and their states. Apart from the SQL that reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass

BEFORE, WAITING, RECEIVED, MISSED, LATE, DEAD = "before", "waiting", "told", "missed", "late", "dead"
COUNTED_STATES = (RECEIVED, MISSED, LATE, DEAD)
DAY_US = 86_400_000_000  # µs


@dataclass(frozen=True, slots=True)
class Observation:
    """An event that the store's API shows, by its identity, and the state of its hook."""

    identity: str
    event: str
    day: int
    state: str


@dataclass(frozen=True, slots=True)
class DayCount:
    """One event of one store on one day. `expected`: what the API showed; the others are parts of it."""

    store: str
    event: str
    day: int  # since the epoch
    expected: int
    missed: int  # no hook ever came
    late: int  # the hook came after it had been recovered
    dead: int  # the hook came and could not go on

    @property
    def rate(self) -> float:
        """The share whose hook never came."""
        return self.missed / self.expected if self.expected else 0.0
