"""Notices that a clock was set back, and keeps what waits from waiting for the difference.

Redis counts the life of keys by its host's clock, and the ledger holds moments by the clocks of the workers: after a
clock was set back by an hour, each of them would be reached an hour late.
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

MIN_SET_BACK_S = 2.0  # what clocks of one machine are corrected by in passing is not looked at
MARK_INTERVAL_S = 30.0  # a write to Redis waits for its disk
MAX_LEASE_TTL_MS = 120_000  # of any lease: the inbox's, handed on
_US_PER_S = 1_000_000

_COMPARE_CLOCKS = read_lua(__package__, "clock_set_back_compare")


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """By how many seconds Redis's clock, and this host's, were set back since the last look."""

    redis: float
    host: float

    @property
    def most(self) -> float:
        """0.0: none was."""
        return max(self.redis, self.host)


def repair_clock_set_back(redis: Redis, engine: Engine, host: str, now: Callable[[], int]) -> ClockSetBack:
    """Compare the clocks with what they have shown before, and mend what waits if one was set back."""
    answers: Any = redis.eval(
        _COMPARE_CLOCKS, 1, redis_keys.CLOCK_MARKS, host, now() / _US_PER_S, MIN_SET_BACK_S, MARK_INTERVAL_S
    )
    back = ClockSetBack(*map(float, answers))
    if back.most:
        _shorten_redis_ttls(redis, back)
        with writing(engine) as db:
            shift_waits(db, round(back.most * _US_PER_S), now())
    _end_impossible_waits(redis, engine, now())
    return back


def _shorten_redis_ttls(redis: Redis, back: ClockSetBack) -> None:
    for key in redis.scan_iter("cratewire:*", count=1_000):
        left: Any = redis.pttl(key)
        if left > 0 and back.redis:
            redis.pexpire(key, max(1, left - round(back.redis * 1000)))
        if key.startswith(b"cratewire:budget:"):
            _shift_rate_budget(redis, key, back.most)


def _shift_rate_budget(redis: Redis, key: bytes, back: float) -> None:
    """Calls that the window and the spacing saw lie ahead now: none is counted. The rate climbs on as before."""
    if key.endswith((b":window", b":due")):
        redis.delete(key)
    elif key.endswith(b":throttle") and redis.hexists(key, "climbed_at"):
        redis.hincrbyfloat(key, "climbed_at", -back)


def _end_impossible_waits(redis: Redis, engine: Engine, now: int) -> None:
    """Whatever left them: also a clock that was wrong before anything of ours had looked at it."""
    for lease in redis.scan_iter("cratewire:lease:*", count=1_000):
        left: Any = redis.pttl(lease)
        if left > MAX_LEASE_TTL_MS:
            redis.pexpire(lease, MAX_LEASE_TTL_MS)
    with reading(engine) as db:
        wrong = has_overlong_waits(db, now)
    if wrong:
        with writing(engine) as db:
            end_overlong_waits(db, now)
