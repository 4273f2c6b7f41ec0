"""Whether Redis takes hooks just now: shut after a failure or when it is nearly full, and soon looked at again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0  # between two looks, at the most
MIN_BACKOFF_S = 0.125  # after a failure: most are a disk that was slow for a moment, and hooks wait meanwhile
MAX_BYTES_BETWEEN_CHECKS = 8_000_000  # as much may go in between two looks at its memory


class CircuitBreaker:
    """A circuit breaker that soon pays for a dead Redis once a second only."""

    def __init__(self, has_room: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._has_room = has_room
        self._clock = clock
        self._look_at = clock()
        self._bytes_since_check = 0
        self._rest = MIN_BACKOFF_S  # after the next failure; doubles until hooks have gone in
        self.open = True

    def trip(self, reason: str) -> None:
        """Redis has just failed: keep away from it for a moment."""
        if self.open:
            log.warning("Redis takes no hooks now, they go to the spool", extra={"reason": reason})
        self.open = False
        self._schedule_check(self._rest)
        self._rest = min(2 * self._rest, CHECK_INTERVAL_S)

    def record_success(self, size: int) -> None:
        """So many bytes went in."""
        self._bytes_since_check += size
        self._rest = MIN_BACKOFF_S

    def patience(self) -> float:
        """In how many seconds it is time for a look."""
        return max(0.0, self._look_at - self._clock())

    def look(self) -> None:
        """See how Redis is, if it is time to."""
        if self._clock() < self._look_at and self._bytes_since_check < MAX_BYTES_BETWEEN_CHECKS:
            return
        try:
            room = self._has_room()
        except RedisError as error:
            self.trip(type(error).__name__)
        else:
            self._recover() if room else self.trip("nearly full")

    def _recover(self) -> None:
        if not self.open:
            log.info("Redis takes hooks again")
        self.open = True
        self._schedule_check(CHECK_INTERVAL_S)

    def _schedule_check(self, rest: float) -> None:
        self._look_at = self._clock() + rest
        self._bytes_since_check = 0
