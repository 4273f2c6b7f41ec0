"""Whether Redis takes hooks just now: shut after a failure or when it is nearly full, looked at again every second."""

from __future__ import annotations

import logging
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LOOK_BYTES = 8_000_000  # as much may go in between two looks at its memory


class Tap:
    """A circuit breaker that pays for a dead Redis at most once a second."""

    def __init__(self, has_room: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._has_room = has_room
        self._clock = clock
        self._look_at = clock()
        self._poured = 0
        self.open = True

    def shut(self, reason: str) -> None:
        """Redis has just failed: keep away from it for a second."""
        if self.open:
            log.warning("Redis takes no hooks now, they go to the spool", extra={"reason": reason})
        self.open = False
        self._looked()

    def poured(self, size: int) -> None:
        """So many bytes went in."""
        self._poured += size

    def look(self) -> None:
        """See how Redis is, if it is time to."""
        if self._clock() < self._look_at and self._poured < LOOK_BYTES:
            return
        try:
            room = self._has_room()
        except RedisError as error:
            self.shut(type(error).__name__)
        else:
            self._reopen() if room else self.shut("nearly full")

    def _reopen(self) -> None:
        if not self.open:
            log.info("Redis takes hooks again")
        self.open = True
        self._looked()

    def _looked(self) -> None:
        self._look_at = self._clock() + LOOK_SECONDS
        self._poured = 0
