"""Reports when the kernel kills processes of this worker's group for lack of memory: Celery restarts them silently."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis import Redis, RedisError

from pipeline.infra import redis_keys
from pipeline.infra.memory import count_oom_kills

log = structlog.get_logger(__name__)

CHECK_INTERVAL_S = 5.0
KILL_RECORD_TTL_S = 3_600  # without another kill


class MemoryWatch:
    """A thread in the worker's main process, which survives the processes of its pool."""

    def __init__(self, redis: Redis, host: str, count: Callable[[], int], now: Callable[[], float]) -> None:
        self._redis = redis
        self._host = host
        self._count = count
        self._now = now
        self._last_count = count()

    def start(self) -> None:
        """Watch until the process ends."""
        threading.Thread(target=self._run, name="memory", daemon=True).start()

    def check(self) -> int:
        """Return how many processes were killed since the last check, and record them for the attention list."""
        count = self._count()
        killed, self._last_count = count - self._last_count, count
        if killed > 0:
            log.critical("the kernel killed processes for lack of memory", killed=killed)
            with suppress(RedisError), self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(redis_keys.OOM_KILLS, f"{self._host} killed", count)  # a host's workers may share a group
                pipe.hset(redis_keys.OOM_KILLS, f"{self._host} at", round(self._now() * 1_000_000))
                pipe.expire(redis_keys.OOM_KILLS, KILL_RECORD_TTL_S)
                pipe.execute()
        return killed

    def _run(self) -> None:
        while True:
            time.sleep(CHECK_INTERVAL_S)
            self.check()


_watches: list[MemoryWatch] = []


def start(redis: Redis) -> None:
    """Start watching. Called again whenever the worker has reconnected to its broker."""
    if not _watches:
        _watches.append(MemoryWatch(redis, socket.gethostname(), count_oom_kills, time.time))
        _watches[0].start()
