"""What a refusal does to an account's rate: a pause for everybody, a lower rate, and the way back up.

A rate at which calls went through until a moment ago is probably fine but for a little. So it comes back quickly to
just below where it was refused, stays there for a while, since the account may allow no more, and then grows again.
The first refusal after a good while that says for how long takes a fifth; whatever comes sooner, or says nothing, half.
A rest is a pause that says nothing of the rate: whoever is told by a platform in trouble when to come back stays away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Any

from redis import Redis

from pipeline.core.backoff import MAX_BACKOFF_S, MAX_RETRY_AFTER_S
from pipeline.infra.lua import read_lua

MIN_FACTOR = 1 / 64
FULL_RECOVERY_S = 60  # of success from nothing to the full rate
FAST_RECOVERY_SHARE = 0.95  # of the rate that was refused: so far it climbs at once
LAST_RECOVERY_S = 60  # of success from there to the rate that was refused: half of them are 50 calls at two a second
MAX_SUCCESS_GAP_S = 5  # seconds one success may account for: silence is not success
MIN_PAUSE_S = 1.0  # so that calls already under way, refused too, do not lower the rate once each
SMALL_CUT_FACTOR, LARGE_CUT_FACTOR = 0.8, 0.5  # what is left of the rate
_STATE_TTL_MS = 86_400_000  # a factor nobody has touched for a day

_PAUSE_SCRIPT = read_lua(__package__, "throttle_pause")

_REST_SCRIPT = read_lua(__package__, "throttle_rest")

_SUCCESS_SCRIPT = read_lua(__package__, "throttle_success")


class Throttle:
    """The pause and the factor of one account, shared by all processes. `now` is in microseconds."""

    def __init__(self, redis: Redis, name: str, now: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._keys = [f"{name}:pause", f"{name}:throttle"]
        self._pause_script = redis.register_script(_PAUSE_SCRIPT)
        self._rest_script = redis.register_script(_REST_SCRIPT)
        self._succeeded_script = redis.register_script(_SUCCESS_SCRIPT)
        self._now = now

    def ask(self, pipe: Any) -> None:
        """Add to a pipeline what `told` reads from its first two answers."""
        pipe.pttl(self._keys[0])
        pipe.hget(self._keys[1], "factor")

    def told(self, answers: list[Any]) -> tuple[float, float]:
        """Seconds for which nobody may call, and the part of the full rate that may be used."""
        pause, factor = answers
        return max(pause, 0) / 1000, float(factor or 1)

    def pause(self, seconds: float | None) -> None:
        """Refused: stop everybody for so long (None: for twice as long as the last time), and lower the rate once."""
        told = -1 if seconds is None else round(min(max(seconds, MIN_PAUSE_S), MAX_RETRY_AFTER_S) * 1000)
        bounds = [MIN_FACTOR, MIN_PAUSE_S * 1000, MAX_BACKOFF_S * 1000, _STATE_TTL_MS]
        self._pause_script(
            keys=self._keys,
            args=[told, self._seconds(), *bounds, FAST_RECOVERY_SHARE, SMALL_CUT_FACTOR, LARGE_CUT_FACTOR],
        )

    def rest(self, seconds: float) -> None:
        """Told when to come back: stop everybody for so long, at the rate there is."""
        if seconds > 0:
            self._rest_script(keys=self._keys[:1], args=[ceil(min(seconds, MAX_RETRY_AFTER_S) * 1000)])

    def record_success(self) -> None:
        """A call went through."""
        ways = [FULL_RECOVERY_S, MAX_SUCCESS_GAP_S, _STATE_TTL_MS, FAST_RECOVERY_SHARE, LAST_RECOVERY_S]
        self._succeeded_script(keys=self._keys, args=[self._seconds(), *ways])

    def _seconds(self) -> float:
        return self._now() / 1_000_000
