"""How long a process that ended waits before it is started again."""

from __future__ import annotations

LONGEST = 30.0
LONG_LIFE = 60.0  # seconds of life after which earlier ends are forgotten


def delay(ends: int) -> float:
    """1, 2, 4 … 30 seconds after the first, second, third … end in a row."""
    return min(LONGEST, 2.0 ** (ends - 1))


def ends_in_a_row(before: int, lived: float) -> int:
    """Count this end; a life of a minute makes it the first again."""
    return 1 if lived >= LONG_LIFE else before + 1
