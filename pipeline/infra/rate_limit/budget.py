"""One rate budget per account for all processes: a moving window in Redis, a pause, and a rate that adapts.

The window is that of the library `limits`; the throttle beside it is ours, since no limiter takes a pause that the
server asks for. Nothing sleeps: callers get the seconds to wait. Raises redis.RedisError if Redis is unavailable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor
from typing import Any
from weakref import WeakKeyDictionary

from limits.storage import RedisStorage
from redis import Redis

from pipeline.infra.lua import read_lua
from pipeline.infra.rate_limit.throttle import Throttle

WINDOW_KEY_SUFFIX = "window"  # follows the budget's name in the key
MIN_WAIT_S = 0.001
URGENT_RETRY_S = 3.0  # within which an urgent caller asks again after the wait it was given
# Whole calls in whole seconds may leave this part of a rate unused; if they left more, calls are spaced evenly instead.
MAX_UNUSED_SHARE = 0.05
MAX_CATCH_UP_S = 0.1  # a spaced call may be so late without delaying those after it
# An urgent caller's turn is reserved for waits up to this: others need not wait while an account is paused for an hour.
MAX_RESERVED_WAIT_S = 10.0
MAX_YIELD_S = 0.25  # after which a caller that yields checks whether the urgent caller has called

_SPACING_SCRIPT = read_lua(__package__, "budget_space")


class Budget:
    """The rate at which all of our processes together may call one account. `now` returns microseconds.

    `urgent`: these callers go before others, as long as they are expected to ask again. `margin`: seconds by which a
    call may reach the server sooner than the one before it. Where each refusal costs seconds, a call made exactly on
    time would often be counted together with those before it, and be refused.
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
            raise ValueError("per_second of a budget must be positive")
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
        self._throttled = True  # until Redis says otherwise

    def acquire(self, cost: int = 1) -> float:
        """Take `cost` calls and return 0.0, or take nothing and return the seconds after which to ask again.

        A cost above the window's limit takes a whole window, and the time of the rest as a debt.
        """
        pause_s, factor, debt_s, reserved_s = self._read_state()
        self.note_factor(factor)
        if stopped_s := max(pause_s, debt_s):
            return self._reserve_turn(stopped_s) if stopped_s <= MAX_RESERVED_WAIT_S else stopped_s
        if reserved_s and not self._urgent:
            return min(reserved_s, MAX_YIELD_S)
        wait = self._try_take(cost, self._per_second * factor)
        if wait > 0:
            return self._reserve_turn(wait)
        if reserved_s:
            self._redis.delete(self._urgent_key)
        return 0.0

    def note_factor(self, factor: float) -> None:
        """Note which part of the rate may be used now: only while it is lowered do successes cost anything."""
        self._throttled = factor < 1

    def list_state_keys(self) -> list[str]:
        """The keys of the pause, the throttle, the debt, and an urgent caller's turn."""
        return [*self._throttle.keys, self._debt_key, self._urgent_key]

    def add_acquisition(self, pipe: Any, cost: int, factor: float) -> bool:
        """Add taking `cost` calls to a pipeline, which replies whether they were taken; nothing stops the account now.

        False, and nothing is added, where that takes more than one step: ask `acquire` then.
        """
        rate = self._per_second * factor
        limit, seconds = choose_window(rate)
        is_spaced = limit < (1 - MAX_UNUSED_SHARE) * rate * seconds
        if is_spaced or self._margin or self._urgent or cost > limit:
            return False
        self._storage.add_acquisition(pipe, self._window_key, limit, seconds, cost)
        return True

    def pause(self, seconds: float | None) -> None:
        """Record a refusal: pause all callers for so long (None: twice as long as last time), and lower the rate.

        To be called once per refusal. A refusal during a pause can only lengthen the pause.
        """
        self._throttled = True
        self._throttle.pause(seconds)

    def hold_off(self, seconds: float) -> None:
        """Pause all callers for at least so long without lowering the rate: the platform named a time, but no rate."""
        self._throttle.hold_off(seconds)

    def record_success(self) -> None:
        """Record a successful call: raise a lowered rate. Costs nothing while the rate is not lowered."""
        if self._throttled:
            self._throttle.record_success()

    def pause_left_s(self) -> float:
        """Return the seconds that are left of a pause, or 0.0."""
        return self._read_state()[0]

    def factor(self) -> float:
        """Return the part of the full rate that may be used now."""
        return self._read_state()[1]

    def _try_take(self, cost: int, rate: float) -> float:
        """Take the calls and return 0.0, or return the seconds to wait."""
        limit, seconds = choose_window(rate)
        is_spaced = limit < (1 - MAX_UNUSED_SHARE) * rate * seconds
        if is_spaced:
            limit = ceil(rate * seconds)
        if self._margin and (wait := self._seconds_until_room(cost, limit, seconds)) > 0:
            return wait
        if is_spaced:
            return self._try_take_spaced(cost, rate, limit, seconds)
        if not self._try_enter(cost, limit, seconds):
            return max(self._seconds_until_room(cost, limit, seconds), MIN_WAIT_S)
        if cost > limit:
            self._redis.set(self._debt_key, 1, px=ceil((cost / limit - 1) * seconds * 1000))
        return 0.0

    def _try_take_spaced(self, cost: int, rate: float, limit: int, seconds: int) -> float:
        """Space the calls evenly: rounding to whole calls a second would be too coarse for low rates.

        The window counts them, too, so that it knows the last second when calls are no longer spaced.
        """
        wait = float(self._space_script(keys=[self._due_key], args=[cost / rate, MAX_CATCH_UP_S]))
        if wait > 0:
            return max(wait, MIN_WAIT_S)
        self._try_enter(cost, limit, seconds)
        return 0.0

    def _try_enter(self, cost: int, limit: int, seconds: int) -> bool:
        """Count the calls in the window. Returns False, and counts none, if it has no room."""
        taken: bool = self._storage.acquire_entry(self._window_key, limit, seconds, min(cost, limit))
        if taken and self._margin:  # else the window expires before the margin is over
            self._redis.expire(self._window_key, seconds + ceil(self._margin))
        return taken

    def _reserve_turn(self, wait: float) -> float:
        """Reserve the next turn of an urgent caller; else callers that ask more often would take every turn."""
        if self._urgent:
            self._redis.set(self._urgent_key, 1, px=ceil((wait + URGENT_RETRY_S) * 1000))
        return wait

    def _read_state(self) -> tuple[float, float, float, float]:
        """Return the seconds left of a pause, the factor, the seconds left of a debt and of an urgent caller's turn."""
        pipe = self._redis.pipeline(transaction=False)
        self._throttle.add_reads(pipe)
        pipe.pttl(self._debt_key)
        pipe.pttl(self._urgent_key)
        *replies, debt, urgent = pipe.execute()
        return *self._throttle.parse_replies(replies), max(debt, 0) / 1000, max(urgent, 0) / 1000

    def _seconds_until_room(self, cost: int, limit: int, seconds: int) -> float:
        """Return the seconds until the window and its margin have room for the calls; 0 or less if they have it now."""
        newest = limit - min(cost, limit) + 1  # this many of the last calls must not all lie in the window
        oldest, count = self._storage.get_moving_window(self._window_key, newest, seconds + ceil(self._margin))
        if count < newest:
            return 0.0
        return min(oldest + seconds + self._margin - self._now() / 1_000_000, seconds + self._margin)


class _WindowStorage(RedisStorage):
    """Windows in one Redis, each under its whole key instead of a prefixed one."""

    def prefixed_key(self, key: str) -> str:
        return key

    def add_acquisition(self, pipe: Any, key: str, limit: int, expiry: int, amount: int) -> None:
        """What `acquire_entry` does, as a command of a pipeline."""
        self.lua_acquire_moving_window([key], [time.time(), limit, expiry, amount], client=pipe)


_STORAGES: WeakKeyDictionary[Redis, _WindowStorage] = WeakKeyDictionary()


def _get_storage(redis: Redis) -> _WindowStorage:
    """Return the storage of this Redis, made once: its own client costs as much as several commands, per lane."""
    if redis not in _STORAGES:
        _STORAGES[redis] = _WindowStorage("redis://", connection_pool=redis.connection_pool)
    return _STORAGES[redis]


def choose_window(rate: float) -> tuple[int, int]:
    """Return whole calls per whole seconds, never above the rate: the shortest window with room for one call."""
    seconds = max(1, ceil(1 / rate))
    return max(1, floor(rate * seconds)), seconds
