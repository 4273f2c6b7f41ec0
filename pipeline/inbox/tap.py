"""Whether Redis takes hooks just now: shut after a failure or when it is nearly full, and soon looked at again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two looks, at the most
FIRST_LOOK = 0.125  # after a failure: most are a disk that was slow for a moment, and hooks wait meanwhile
LOOK_BYTES = 8_000_000  # as much may go in between two looks at its memory


class Tap:
    """A circuit breaker that soon pays for a dead Redis once a second only."""

    def __init__(self, has_room: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._has_room = has_room
        self._clock = clock
        self._look_at = clock()
        self._poured = 0
        self._rest = FIRST_LOOK  # after the next failure; doubles until hooks have gone in
        self.open = True

    def shut(self, reason: str) -> None:
        """Redis has just failed: keep away from it for a moment."""
        if self.open:
            log.warning("Redis takes no hooks now, they go to the spool", extra={"reason": reason})
        self.open = False
        self._looked(self._rest)
        self._rest = min(2 * self._rest, LOOK_SECONDS)

    def poured(self, size: int) -> None:
        """So many bytes went in."""
        self._poured += size
        self._rest = FIRST_LOOK

    def patience(self) -> float:
        """In how many seconds it is time for a look."""
        return max(0.0, self._look_at - self._clock())

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
        self._looked(LOOK_SECONDS)

    def _looked(self, rest: float) -> None:
        self._look_at = self._clock() + rest
        self._poured = 0
