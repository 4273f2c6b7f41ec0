"""What a refusal does to an account's rate: a pause for all processes, a lower rate, and its recovery.

A rate at which calls succeeded until a moment ago is probably only slightly too high. So it recovers quickly to just
below the rate that was refused, slowly from there, since the account may allow no more, and then grows again. The
first refusal in a long time that says how long to wait lowers the rate by a fifth; one that comes sooner, or says
nothing, halves it. Holding off is a pause that leaves the rate alone: a platform in trouble named a time.
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
FULL_RECOVERY_S = 60  # of successful calls, from nothing to the full rate
FAST_RECOVERY_SHARE = 0.95  # of the refused rate, up to which the rate recovers quickly
LAST_RECOVERY_S = 60  # of successful calls, from there to the refused rate: about 100 calls at two a second
MAX_SUCCESS_GAP_S = 5  # that one success may account for: time without calls is not success
MIN_PAUSE_S = 1.0  # so that calls under way, which are refused too, do not each lower the rate
SMALL_CUT_FACTOR, LARGE_CUT_FACTOR = 0.8, 0.5  # what is left of the rate
_STATE_TTL_MS = 86_400_000  # a day

_PAUSE_SCRIPT = read_lua(__package__, "throttle_pause")

_HOLD_OFF_SCRIPT = read_lua(__package__, "throttle_hold_off")

_SUCCESS_SCRIPT = read_lua(__package__, "throttle_success")


class Throttle:
    """The pause and the factor of one account, shared by all processes. `now` returns microseconds."""

    def __init__(self, redis: Redis, name: str, now: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.keys = [f"{name}:pause", f"{name}:throttle"]
        self._pause_script = redis.register_script(_PAUSE_SCRIPT)
        self._hold_off_script = redis.register_script(_HOLD_OFF_SCRIPT)
        self._success_script = redis.register_script(_SUCCESS_SCRIPT)
        self._now = now

    def add_reads(self, pipe: Any) -> None:
        """Add the two reads to a pipeline whose replies `parse_replies` takes."""
        pipe.pttl(self.keys[0])
        pipe.hget(self.keys[1], "factor")

    def parse_replies(self, replies: list[Any]) -> tuple[float, float]:
        """Return the seconds left of a pause, and the part of the full rate that may be used."""
        pause, factor = replies
        return max(pause, 0) / 1000, float(factor or 1)

    def pause(self, seconds: float | None) -> None:
        """Record a refusal: pause for so long (None: twice as long as last time), and lower the rate once."""
        requested_ms = -1 if seconds is None else round(min(max(seconds, MIN_PAUSE_S), MAX_RETRY_AFTER_S) * 1000)
        bounds = [MIN_FACTOR, MIN_PAUSE_S * 1000, MAX_BACKOFF_S * 1000, _STATE_TTL_MS]
        self._pause_script(
            keys=self.keys,
            args=[requested_ms, self._now_s(), *bounds, FAST_RECOVERY_SHARE, SMALL_CUT_FACTOR, LARGE_CUT_FACTOR],
        )

    def hold_off(self, seconds: float) -> None:
        """Pause for so long without lowering the rate."""
        if seconds > 0:
            self._hold_off_script(keys=self.keys[:1], args=[ceil(min(seconds, MAX_RETRY_AFTER_S) * 1000)])

    def record_success(self) -> None:
        """Record a successful call."""
        recovery = [FULL_RECOVERY_S, MAX_SUCCESS_GAP_S, _STATE_TTL_MS, FAST_RECOVERY_SHARE, LAST_RECOVERY_S]
        self._success_script(keys=self.keys, args=[self._now_s(), *recovery])

    def _now_s(self) -> float:
        return self._now() / 1_000_000
