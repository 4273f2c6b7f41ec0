"""How long a process that ended waits before it is started again."""

from __future__ import annotations

MAX_RESTART_DELAY_S = 30.0
STABLE_AFTER_S = 60.0  # seconds of life after which earlier ends are forgotten


def get_restart_delay(exits: int) -> float:
    """1, 2, 4 … 30 seconds after the first, second, third … end in a row."""
    return min(MAX_RESTART_DELAY_S, 2.0 ** (exits - 1))


def count_exits_in_a_row(previous: int, uptime_s: float) -> int:
    """Count this end; a life of a minute makes it the first again."""
    return 1 if uptime_s >= STABLE_AFTER_S else previous + 1
