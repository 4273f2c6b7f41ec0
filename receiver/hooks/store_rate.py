"""Limits how many hooks of one store this web process accepts, so that no store fills the inbox of all.

A window of the library `limits` in this process's memory, so that it holds while Redis is away.
"""

from __future__ import annotations

import time
from math import ceil

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter


class StoreRate:
    """Counts the hooks of each store. `per_minute`: how many are accepted."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, store: str) -> int:
        """Count a hook. Returns 0 if it is within the limit, else in how many seconds the next one is accepted."""
        if self._limiter.hit(self._limit, store):
            return 0
        return max(1, ceil(self._limiter.get_window_stats(self._limit, store).reset_time - time.time()))
