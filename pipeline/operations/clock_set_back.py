"""Detects that a clock was set back, and corrects the due times that would now be reached too late.

Redis expires keys by its host's clock, and the ledger holds due times by the clocks of the workers: after a clock was
set back by an hour, each of them would be reached an hour late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from sqlalchemy import Engine

from pipeline.infra import redis_keys
from pipeline.infra.lua import read_lua
from pipeline.ledger.clock_correction import end_overlong_waits, has_overlong_waits, shift_waits
from pipeline.ledger.engine import reading, writing

MIN_SET_BACK_S = 2.0  # smaller differences are ordinary corrections of a clock
MARK_INTERVAL_S = 30.0  # between two writes of a mark: a write to Redis waits for its disk
MAX_LEASE_TTL_MS = 120_000  # of any lease: a parked chain lease has the longest
_US_PER_S = 1_000_000

_COMPARE_CLOCKS = read_lua(__package__, "clock_set_back_compare")


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """By how many seconds Redis's clock, and this host's, were set back since the last comparison."""

    redis_s: float
    host_s: float

    @property
    def max_s(self) -> float:
        """The greater of the two; 0.0 if no clock was set back."""
        return max(self.redis_s, self.host_s)


def repair_clock_set_back(redis: Redis, engine: Engine, host: str, now: Callable[[], int]) -> ClockSetBack:
    """Compare the clocks with their marks, and correct due times if one was set back."""
    answers: Any = redis.eval(
        _COMPARE_CLOCKS, 1, redis_keys.CLOCK_MARKS, host, now() / _US_PER_S, MIN_SET_BACK_S, MARK_INTERVAL_S
    )
    back = ClockSetBack(*map(float, answers))
    if back.max_s:
        _shorten_redis_ttls(redis, back)
        with writing(engine) as conn:
            shift_waits(conn, round(back.max_s * _US_PER_S), now())
    _end_impossible_waits(redis, engine, now())
    return back


def _shorten_redis_ttls(redis: Redis, back: ClockSetBack) -> None:
    for key in redis.scan_iter("cratewire:*", count=1_000):
        left: Any = redis.pttl(key)
        if left > 0 and back.redis_s:
            redis.pexpire(key, max(1, left - round(back.redis_s * 1000)))
        if key.startswith(b"cratewire:budget:"):
            _shift_rate_budget(redis, key, back.max_s)


def _shift_rate_budget(redis: Redis, key: bytes, back_s: float) -> None:
    """Delete the calls in window and spacing, which lie in the future now. The rate keeps recovering as before."""
    if key.endswith((b":window", b":due")):
        redis.delete(key)
    elif key.endswith(b":throttle") and redis.hexists(key, "climbed_at"):
        redis.hincrbyfloat(key, "climbed_at", -back_s)


def _end_impossible_waits(redis: Redis, engine: Engine, now: int) -> None:
    """End waits that are longer than any that is written, e.g. after a clock that was wrong before its first mark."""
    for lease in redis.scan_iter("cratewire:lease:*", count=1_000):
        left: Any = redis.pttl(lease)
        if left > MAX_LEASE_TTL_MS:
            redis.pexpire(lease, MAX_LEASE_TTL_MS)
    with reading(engine) as conn:
        wrong = has_overlong_waits(conn, now)
    if wrong:
        with writing(engine) as conn:
            end_overlong_waits(conn, now)
