"""Leases on several keys that one holder acquires, renews and releases together: each step is one round trip.

Each key's lease is as one of `redis_lease`, and the two exclude each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from redis import Redis, RedisError

from pipeline.infra.redis_lease import ACQUIRE, MAX_RENEWAL_S, RELEASE, RENEW, RENEWALS_PER_TTL


class Leases:
    """One holder's leases. `token` must be unique: it distinguishes this holder's leases from later ones."""

    def __init__(self, redis: Redis, token: str, ttl_ms: int) -> None:
        self._redis = redis
        self._token = token
        self._ttl_ms = ttl_ms
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._ended = threading.Event()  # set while none is held

    def acquire(self, keys: Collection[str]) -> set[str]:
        """Return those that are ours now. Does not wait."""
        ours = self._run(ACQUIRE, keys)
        with self._lock:
            self._held |= ours
        return ours

    def renew(self) -> set[str]:
        """Restart the times to live and return those that are still ours. A flushed Redis has lost them all."""
        with self._lock:
            held = set(self._held)
        return self._run(RENEW, held)

    def release(self, keys: Collection[str]) -> None:
        """Give these back. If Redis is unavailable, they expire by themselves."""
        with self._lock:
            ours = self._held & set(keys)
            self._held -= ours
            if not self._held:
                self._ended.set()
        with suppress(RedisError):
            self._run(RELEASE, ours)

    def keep_renewed(self, max_seconds: float = MAX_RENEWAL_S) -> None:
        """Renew from a thread what is held, until all of it is released.

        So the time to live can be short, however long one step of the work takes. A process that is killed or stopped
        renews nothing, and none renews for longer than `max_seconds`. If a lease is lost, or Redis unavailable, the
        work goes on; `renew` says so.
        """
        if self._held:
            until = time.monotonic() + max_seconds
            threading.Thread(target=self._renew_until_ended, args=(until,), name="leases", daemon=True).start()

    def _renew_until_ended(self, until: float) -> None:
        while not self._ended.wait(self._ttl_ms / 1000 / RENEWALS_PER_TTL) and time.monotonic() < until:
            with suppress(Exception):  # whatever went wrong this time, the next renewal may still come in time
                self.renew()

    def _run(self, script: str, keys: Collection[str]) -> set[str]:
        names = list(keys)
        if not names:
            return set()
        ours: Any = self._redis.eval(script, len(names), *names, self._token, str(self._ttl_ms))
        return {name for name, is_ours in zip(names, ours, strict=True) if is_ours}
