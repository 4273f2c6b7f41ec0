"""A lease in Redis: at most one holder at a time, and none for longer than its time unless renewed.

It only keeps two holders from working at once; a holder that was asleep past its time is stopped by the fencing
token in SQL. Raises redis.RedisError when Redis is away: then nobody may begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import Redis, RedisError

from pipeline.infra.lua import read_lua

RENEWALS_PER_TTL = 4  # renewals in the time of one lease
MAX_RENEWAL_S = (
    900.0  # for which a lease is kept; every call and every send ends before, so what is left hangs for good
)

_ACQUIRE = read_lua(__package__, "redis_lease_acquire")
_RENEW = read_lua(__package__, "redis_lease_renew")
_RELEASE = read_lua(__package__, "redis_lease_release")


class Lease:
    """One holder's hand on a key. `token` must be nobody else's: it tells our lease from a later one."""

    def __init__(self, redis: Redis, key: str, token: str, ttl_ms: int) -> None:
        self._redis = redis
        self._key = key
        self._token = token
        self._ttl_ms = ttl_ms

    def acquire(self) -> bool:
        """Whether it is ours now. Does not wait."""
        return self._run(_ACQUIRE)

    def renew(self) -> bool:
        """Whether it is still ours; if so, for the whole time again. An emptied Redis has forgotten it: False."""
        return self._run(_RENEW)

    def release(self) -> bool:
        """Whether it was still ours to give back. If Redis is away it ends by itself."""
        try:
            return self._run(_RELEASE)
        except RedisError:
            return False

    @contextmanager
    def kept(self, max_seconds: float = MAX_RENEWAL_S) -> Iterator[None]:
        """Renew it from a thread while the block runs: its time can be short, however long one step of the work takes.

        A process that is killed or stopped renews nothing, and nobody for longer than `most_seconds`. If the lease is
        lost, or Redis away, `renew` tells.
        """
        ended, until = threading.Event(), time.monotonic() + max_seconds
        threading.Thread(target=self._renew_until_ended, args=(ended, until), name="lease", daemon=True).start()
        try:
            yield
        finally:
            ended.set()  # a renewal under way may come after the release, and then finds nothing to renew

    def _renew_until_ended(self, ended: threading.Event, until: float) -> None:
        while not ended.wait(self._ttl_ms / 1000 / RENEWALS_PER_TTL) and time.monotonic() < until:
            with suppress(Exception):  # whatever went wrong with this beat, the next one may still come in time
                self.renew()

    def _run(self, script: str) -> bool:
        return bool(self._redis.eval(script, 1, self._key, self._token, str(self._ttl_ms)))
