"""A circuit breaker for Redis: it trips when Redis fails or is nearly full, and Redis is checked again soon."""

from __future__ import annotations

import logging
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 1.0  # the longest time between two checks
MIN_BACKOFF_S = 0.125  # after a failure: most are a disk that was slow for a moment, and hooks wait meanwhile
MAX_BYTES_BETWEEN_CHECKS = 8_000_000  # bytes that may be written before Redis's memory is checked again


class CircuitBreaker:
    """Decides whether hooks may go to Redis, so that a dead Redis costs one timeout a second at most."""

    def __init__(self, has_room: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._has_room = has_room
        self._clock = clock
        self._next_check_at = clock()
        self._bytes_since_check = 0
        self._backoff_s = MIN_BACKOFF_S  # after the next failure; doubles until a write has succeeded
        self.is_closed = True  # hooks may go to Redis

    def trip(self, reason: str) -> None:
        """Redis has failed: send no hooks to it for a moment."""
        if self.is_closed:
            log.warning("Redis takes no hooks now, they go to the spool", extra={"reason": reason})
        self.is_closed = False
        self._schedule_check(self._backoff_s)
        self._backoff_s = min(2 * self._backoff_s, CHECK_INTERVAL_S)

    def record_success(self, size: int) -> None:
        """Record that so many bytes were written."""
        self._bytes_since_check += size
        self._backoff_s = MIN_BACKOFF_S

    def get_seconds_until_check(self) -> float:
        """Return in how many seconds the next check is due."""
        return max(0.0, self._next_check_at - self._clock())

    def check(self) -> None:
        """Check Redis if a check is due, and close or trip the breaker."""
        if self._clock() < self._next_check_at and self._bytes_since_check < MAX_BYTES_BETWEEN_CHECKS:
            return
        try:
            has_room = self._has_room()
        except RedisError as error:
            self.trip(type(error).__name__)
        else:
            self._close() if has_room else self.trip("nearly full")

    def _close(self) -> None:
        if not self.is_closed:
            log.info("Redis takes hooks again")
        self.is_closed = True
        self._schedule_check(CHECK_INTERVAL_S)

    def _schedule_check(self, seconds: float) -> None:
        self._next_check_at = self._clock() + seconds
        self._bytes_since_check = 0
