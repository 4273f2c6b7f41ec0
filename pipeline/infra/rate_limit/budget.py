"""One rate budget per account for the whole fleet: a moving window in Redis, a pause, and a rate that adapts.

The window is `limits`'; the throttle beside it is ours, since no limiter takes a pause told by the server. Nothing
here waits: callers are told how long. If Redis is away, its own error goes through.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor
from weakref import WeakKeyDictionary

from limits.storage import RedisStorage
from redis import Redis

from pipeline.infra.lua import read_lua
from pipeline.infra.rate_limit.throttle import Throttle

WINDOW_KEY_SUFFIX = "window"  # its key, after the budget's name
MIN_WAIT_S = 0.001
URGENT_RETRY_S = 3.0  # seconds within which somebody urgent who was told to wait asks again, after that wait
MAX_UNUSED_SHARE = (
    0.05  # the part of a rate which whole calls in whole seconds may leave unused before calls are spaced instead
)
MAX_CATCH_UP_S = 0.1  # seconds a spaced call may come late without those after it coming later too
MAX_RESERVED_WAIT_S = (
    10.0  # the longest wait for which a place is kept: nobody is to be kept off for the hour an account is paused
)
MAX_YIELD_S = 0.25  # seconds until it is worth looking whether the urgent one has been here

_SPACING_SCRIPT = read_lua(__package__, "budget_space")


class Budget:
    """What all of our processes together may ask of one account. `now` is in microseconds.

    `urgent`: whoever asks here goes before those who do not, for as long as it is expected to ask again. `margin`:
    seconds by which a call may be faster on its way than the one before; where each refusal costs seconds, whoever
    came back on the dot would often be counted together with the calls before, and be refused.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        per_second: float,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
        *,
        urgent: bool = False,
        margin: float = 0.0,
    ) -> None:
        if per_second <= 0:
            raise ValueError("a budget is more than nothing")
        self._redis = redis
        self._window_key = f"{name}:{WINDOW_KEY_SUFFIX}"
        self._debt_key = f"{name}:debt"
        self._due_key = f"{name}:due"
        self._urgent_key = f"{name}:urgent"
        self._urgent = urgent
        self._margin = margin
        self._storage = _get_storage(redis)
        self._space_script = redis.register_script(_SPACING_SCRIPT)
        self._throttle = Throttle(redis, name, now)
        self._per_second = per_second
        self._now = now
        self._throttled = True  # as far as we know

    def acquire(self, cost: int = 1) -> float:
        """0.0: go, `cost` calls are taken. Otherwise nothing is taken, and it is worth asking again in so many seconds.

        A cost above what a window holds takes a whole window, and the time of the rest as a debt.
        """
        paused, factor, debt, yields = self._state()
        self._throttled = factor < 1
        if stopped := max(paused, debt):
            return self._reserve_turn(stopped) if stopped <= MAX_RESERVED_WAIT_S else stopped
        if yields and not self._urgent:
            return min(yields, MAX_YIELD_S)
        wait = self._take(cost, self._per_second * factor)
        if wait > 0:
            return self._reserve_turn(wait)
        if yields:
            self._redis.delete(self._urgent_key)
        return 0.0

    def pause(self, seconds: float | None) -> None:
        """The platform refused: stop everybody for so long (None: for twice as long as the last time), lower the rate.

        Say it once per refusal; a refusal during a pause can only lengthen it.
        """
        self._throttled = True
        self._throttle.pause(seconds)

    def rest(self, seconds: float) -> None:
        """The platform named a time and said nothing of the rate: stop everybody for at least so long."""
        self._throttle.rest(seconds)

    def record_success(self) -> None:
        """The platform took a call: creep back towards the full rate. Free of charge while nothing is throttled."""
        if self._throttled:
            self._throttle.record_success()

    def paused(self) -> float:
        """Seconds for which the platform has told everybody to stay away; 0.0: it has not."""
        return self._state()[0]

    def factor(self) -> float:
        """The part of the full rate that may be used now."""
        return self._state()[1]

    def _take(self, cost: int, rate: float) -> float:
        """0.0: taken."""
        limit, seconds = choose_window(rate)
        spaced = limit < (1 - MAX_UNUSED_SHARE) * rate * seconds
        if spaced:
            limit = ceil(rate * seconds)
        if self._margin and (wait := self._seconds_until_room(cost, limit, seconds)) > 0:
            return wait
        if spaced:
            return self._try_take_spaced(cost, rate, limit, seconds)
        if not self._try_enter(cost, limit, seconds):
            return max(self._seconds_until_room(cost, limit, seconds), MIN_WAIT_S)
        if cost > limit:
            self._redis.set(self._debt_key, 1, px=ceil((cost / limit - 1) * seconds * 1000))
        return 0.0

    def _try_take_spaced(self, cost: int, rate: float, limit: int, seconds: int) -> float:
        """Half a call a second more is much of two a second: each call is followed by the time it costs.

        The window hears of it too, so that it knows the last second when calls are no longer spaced.
        """
        wait = float(self._space_script(keys=[self._due_key], args=[cost / rate, MAX_CATCH_UP_S]))
        if wait > 0:
            return max(wait, MIN_WAIT_S)
        self._try_enter(cost, limit, seconds)
        return 0.0

    def _try_enter(self, cost: int, limit: int, seconds: int) -> bool:
        """Whether the window has taken them."""
        taken: bool = self._storage.acquire_entry(self._window_key, limit, seconds, min(cost, limit))
        if taken and self._margin:  # else it forgets them before the margin is over
            self._redis.expire(self._window_key, seconds + ceil(self._margin))
        return taken

    def _reserve_turn(self, wait: float) -> float:
        """Keep the place of somebody urgent: else those who ask more often would take every place there is."""
        if self._urgent:
            self._redis.set(self._urgent_key, 1, px=ceil((wait + URGENT_RETRY_S) * 1000))
        return wait

    def _state(self) -> tuple[float, float, float, float]:
        """Seconds of the pause, the factor, seconds of a debt, and seconds for which somebody urgent is waited for."""
        pipe = self._redis.pipeline(transaction=False)
        self._throttle.ask(pipe)
        pipe.pttl(self._debt_key)
        pipe.pttl(self._urgent_key)
        *told, debt, urgent = pipe.execute()
        return *self._throttle.told(told), max(debt, 0) / 1000, max(urgent, 0) / 1000

    def _seconds_until_room(self, cost: int, limit: int, seconds: int) -> float:
        """Until the window and the margin after it have room for so many calls; not above 0: they have."""
        newest = limit - min(cost, limit) + 1  # so many of the last calls must not all be within it
        oldest, count = self._storage.get_moving_window(self._window_key, newest, seconds + ceil(self._margin))
        if count < newest:
            return 0.0
        return min(oldest + seconds + self._margin - self._now() / 1_000_000, seconds + self._margin)


class _WindowStorage(RedisStorage):
    """All windows at one Redis, each by its whole key."""

    def prefixed_key(self, key: str) -> str:
        return key


_STORAGES: WeakKeyDictionary[Redis, _WindowStorage] = WeakKeyDictionary()


def _get_storage(redis: Redis) -> _WindowStorage:
    """Made once: it has a client of its own, which costs as much as several questions, and every lane has budgets."""
    if redis not in _STORAGES:
        _STORAGES[redis] = _WindowStorage("redis://", connection_pool=redis.connection_pool)
    return _STORAGES[redis]


def choose_window(rate: float) -> tuple[int, int]:
    """Whole calls in whole seconds, never above the rate: the shortest window that has room for one."""
    seconds = max(1, ceil(1 / rate))
    return max(1, floor(rate * seconds)), seconds
