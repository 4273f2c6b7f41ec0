"""A lease in Redis: at most one holder at a time, and none for longer than its time to live unless it is renewed.

The lease only keeps two holders from working at once. A holder that was stopped past its time to live is fenced off by
the token in SQL. Raises redis.RedisError when Redis is unavailable: no work may begin then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis, RedisError

from pipeline.infra.lua import read_lua

RENEWALS_PER_TTL = 4
MAX_RENEWAL_S = 900.0  # every call and every send ends before; what still runs then hangs for good

# Each takes any number of keys and replies for each of them: `redis_leases` runs them for several.
ACQUIRE = read_lua(__package__, "redis_lease_acquire")
RENEW = read_lua(__package__, "redis_lease_renew")
RELEASE = read_lua(__package__, "redis_lease_release")


class Lease:
    """One holder's lease on a key. `token` must be unique: it distinguishes this holder's lease from a later one."""

    def __init__(self, redis: Redis, key: str, token: str, ttl_ms: int) -> None:
        self._redis = redis
        self._key = key
        self._token = token
        self._ttl_ms = ttl_ms

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """Acquire the lease without waiting, keep it renewed while the block runs, then release it.

        Yields False, and does nothing else, if another holder has it.
        """
        if not self.acquire():
            yield False
            return
        with self.keep():
            yield True

    @contextmanager
    def keep(self, max_seconds: float = MAX_RENEWAL_S) -> Iterator[None]:
        """Renew a lease that is ours from a thread while the block runs, then release it.

        So its time to live can be short, however long one step of the work takes. A process that is killed or stopped
        renews nothing, and none renews for longer than `max_seconds`. If the lease is lost, or Redis unavailable, the
        block goes on; `renew` says so.
        """
        try:
            with self._renewing(max_seconds):
                yield
        finally:
            self.release()

    def acquire(self) -> bool:
        """Return whether the lease is ours now. Does not wait."""
        return self._run(ACQUIRE)

    def renew(self) -> bool:
        """Restart the time to live and return whether the lease is still ours. A flushed Redis has lost it: False."""
        return self._run(RENEW)

    def release(self) -> bool:
        """Return whether the lease was still ours to release. If Redis is unavailable, the lease expires by itself."""
        try:
            return self._run(RELEASE)
        except RedisError:
            return False

    @contextmanager
    def _renewing(self, max_seconds: float) -> Iterator[None]:
        ended, until = threading.Event(), time.monotonic() + max_seconds
        threading.Thread(target=self._renew_until_ended, args=(ended, until), name="lease", daemon=True).start()
        try:
            yield
        finally:
            ended.set()  # a renewal under way may come after the release, and then finds nothing to renew

    def _renew_until_ended(self, ended: threading.Event, until: float) -> None:
        while not ended.wait(self._ttl_ms / 1000 / RENEWALS_PER_TTL) and time.monotonic() < until:
            with suppress(Exception):  # whatever went wrong this time, the next renewal may still come in time
                self.renew()

    def _run(self, script: str) -> bool:
        ours: Any = self._redis.eval(script, 1, self._key, self._token, str(self._ttl_ms))
        return bool(ours[0])
