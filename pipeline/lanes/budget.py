"""One rate budget per account for the whole fleet: a moving window in Redis, a pause, and a rate that adapts.

The window is `limits`'; the pause and the factor beside it are ours, since no limiter takes a pause told by the server.
A refusal halves the rate once and stops everybody; success lets it creep back. Nothing here waits: callers are told
how long. If Redis is away, its own error goes through.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor
from typing import Any

from limits.storage import RedisStorage
from redis import Redis

from pipeline.lanes.backoff import LONGEST_BACKOFF, LONGEST_TOLD

LOWEST_FACTOR = 1 / 64
CLIMB_SECONDS = 60  # of success from nothing to the full rate
LONGEST_STRIDE = 5  # seconds one success may account for: silence is not success
SHORTEST_PAUSE = 1.0  # so that calls already under way, refused too, do not halve the rate once each
SHORTEST_WAIT = 0.001
COMES_BACK = 3.0  # seconds within which somebody urgent who was told to wait asks again, after that wait
WASTES = 0.05  # the part of a rate which whole calls in whole seconds may leave unused before calls are spaced instead
SOON = 10.0  # the longest wait for which a place is kept: nobody is to be kept off for the hour an account is paused
LONGEST_YIELD = 0.25  # seconds until it is worth looking whether the urgent one has been here
_FORGET_MS = 86_400_000  # a factor nobody has touched for a day

# KEYS pause, throttle; ARGV told ms or -1, now s, lowest factor, shortest ms, longest back-off ms, forget ms
_PAUSE = """
local told, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left > 0 then
    if told > left then redis.call('PEXPIRE', KEYS[1], told) end
    return
end
local factor = tonumber(redis.call('HGET', KEYS[2], 'factor') or 1)
local length = told
if told < 0 then
    local refusals = redis.call('HINCRBY', KEYS[2], 'refusals', 1)
    length = math.min(tonumber(ARGV[5]), tonumber(ARGV[4]) * 2 ^ math.min(refusals - 1, 30))
end
length = math.max(length, tonumber(ARGV[4]))
local halved = math.max(tonumber(ARGV[3]), factor / 2)
redis.call('HSET', KEYS[2], 'factor', tostring(halved), 'climbed_at', tostring(now + length / 1000))
redis.call('PEXPIRE', KEYS[2], length + tonumber(ARGV[6]))
redis.call('SET', KEYS[1], 1, 'PX', length)
"""

# KEYS pause, throttle; ARGV now s, climb s, longest stride s, forget ms. A success while paused was sent before.
_SUCCEEDED = """
local factor = redis.call('HGET', KEYS[2], 'factor')
if not factor or redis.call('PTTL', KEYS[1]) > 0 then return end
local now = tonumber(ARGV[1])
local since = now - tonumber(redis.call('HGET', KEYS[2], 'climbed_at'))
local climbed = tonumber(factor) + math.max(0, math.min(since, tonumber(ARGV[3]))) / tonumber(ARGV[2])
if climbed >= 1 then redis.call('DEL', KEYS[2]) return end
redis.call('HSET', KEYS[2], 'factor', tostring(climbed), 'climbed_at', tostring(now), 'refusals', 0)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
"""


class Budget:
    """What all of our processes together may ask of one account. `now` is in microseconds.

    `urgent`: whoever asks here goes before those who do not, for as long as it is expected to ask again.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        per_second: float,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
        *,
        urgent: bool = False,
    ) -> None:
        if per_second <= 0:
            raise ValueError("a budget is more than nothing")
        self._redis = redis
        self._pause_key = f"{name}:pause"
        self._debt_key = f"{name}:debt"
        self._throttle_key = f"{name}:throttle"
        self._urgent_key = f"{name}:urgent"
        self._urgent = urgent
        self._window = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=name)
        self._pause_script = redis.register_script(_PAUSE)
        self._succeeded_script = redis.register_script(_SUCCEEDED)
        self._per_second = per_second
        self._now = now
        self._throttled = True  # as far as we know

    def acquire(self, cost: int = 1) -> float:
        """0.0: go, `cost` calls are taken. Otherwise nothing is taken, and it is worth asking again in so many seconds.

        A cost above what a window holds takes a whole window, and the time of the rest as a debt.
        """
        paused, factor, yields = self._state()
        self._throttled = factor < 1
        if paused:
            return self._announced(paused) if paused <= SOON else paused
        if yields and not self._urgent:
            return min(yields, LONGEST_YIELD)
        rate = self._per_second * factor
        limit, seconds = window_of(rate)
        if limit < (1 - WASTES) * rate * seconds:
            return self._spaced(cost, rate, urgent_waits=bool(yields))
        if not self._window.acquire_entry("window", limit, seconds, min(cost, limit)):
            return self._announced(self._until_room(limit, seconds))
        if yields:
            self._redis.delete(self._urgent_key)
        if cost > limit:
            self._redis.set(self._debt_key, 1, px=ceil((cost / limit - 1) * seconds * 1000))
        return 0.0

    def _spaced(self, cost: int, rate: float, *, urgent_waits: bool) -> float:
        """Half a call a second more is much of two a second: each call is followed by the time it costs.

        The window hears of it too, so that it knows the last second when calls are no longer spaced.
        """
        if not self._redis.set(self._debt_key, 1, px=ceil(cost / rate * 1000), nx=True):
            return self._announced(max(self._redis.pttl(self._debt_key) / 1000, SHORTEST_WAIT))
        self._window.acquire_entry("window", ceil(rate), 1, min(cost, ceil(rate)))
        if urgent_waits:
            self._redis.delete(self._urgent_key)
        return 0.0

    def pause(self, seconds: float | None) -> None:
        """The platform refused: stop everybody for so long (None: for twice as long as the last time), halve the rate.

        Say it once per refusal; a refusal during a pause can only lengthen it.
        """
        told = -1 if seconds is None else round(min(max(seconds, SHORTEST_PAUSE), LONGEST_TOLD) * 1000)
        arguments = [told, self._seconds(), LOWEST_FACTOR, SHORTEST_PAUSE * 1000, LONGEST_BACKOFF * 1000, _FORGET_MS]
        self._throttled = True
        self._run(self._pause_script, arguments)

    def succeeded(self) -> None:
        """The platform took a call: creep back towards the full rate. Free of charge while nothing is throttled."""
        if self._throttled:
            self._run(self._succeeded_script, [self._seconds(), CLIMB_SECONDS, LONGEST_STRIDE, _FORGET_MS])

    def paused(self) -> float:
        """Seconds until somebody may call again, whatever the window says; 0.0: now."""
        return self._state()[0]

    def factor(self) -> float:
        """The part of the full rate that may be used now."""
        return self._state()[1]

    def _announced(self, wait: float) -> float:
        """Keep the place of somebody urgent: else those who ask more often would take every place there is."""
        if self._urgent:
            self._redis.set(self._urgent_key, 1, px=ceil((wait + COMES_BACK) * 1000))
        return wait

    def _state(self) -> tuple[float, float, float]:
        """Seconds of the pause, the factor, and seconds for which somebody urgent is waited for."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.pttl(self._pause_key)
        pipe.pttl(self._debt_key)
        pipe.hget(self._throttle_key, "factor")
        pipe.pttl(self._urgent_key)
        pause, debt, factor, urgent = pipe.execute()
        return max(pause, debt, 0) / 1000, float(factor or 1), max(urgent, 0) / 1000

    def _until_room(self, limit: int, seconds: int) -> float:
        oldest, _ = self._window.get_moving_window("window", limit, seconds)
        return min(max(oldest + seconds - self._seconds(), SHORTEST_WAIT), float(seconds))

    def _run(self, script: Callable[..., Any], arguments: list[float]) -> None:
        script(keys=[self._pause_key, self._throttle_key], args=arguments)

    def _seconds(self) -> float:
        return self._now() / 1_000_000


def window_of(rate: float) -> tuple[int, int]:
    """Whole calls in whole seconds, never above the rate: the shortest window that has room for one."""
    seconds = max(1, ceil(1 / rate))
    return max(1, floor(rate * seconds)), seconds
