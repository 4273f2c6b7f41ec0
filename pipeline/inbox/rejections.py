"""Counts the rejected hooks of each store by HTTP status. Web processes count, others read the totals from Redis.

Only hooks with a valid token are counted, so there are no more than a few entries for each store.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.infra import redis_keys

REJECTIONS_TTL_S = 7 * 86_400  # after the last rejection
_COUNT, _LAST = b"count", b"last"


@dataclass(frozen=True, slots=True)
class RejectedHooks:
    """How many hooks of a store were answered with this status, and when the last one was (µs)."""

    store: str
    status: str
    count: int
    last_at: int


class RejectionCounter:
    """The rejections of this process that are not in Redis yet. Safe for several threads."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def add(self, store: str, status: str, now: int) -> None:
        """Count a rejected hook."""
        with self._lock:
            self._merge({(store, status): (1, now)})

    def flush(self, redis: Redis) -> None:
        """Add the counts to those in Redis. Raises RedisError; the counts are kept for the next call then."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            _write(redis, pending)
        except BaseException:
            with self._lock:
                self._merge(pending)
            raise

    def _merge(self, more: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        for key, (count, last_at) in more.items():
            known, known_at = self._pending.get(key, (0, 0))
            self._pending[key] = known + count, max(known_at, last_at)


def _write(redis: Redis, pending: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    with redis.pipeline(transaction=True) as pipe:
        for (store, status), (count, last_at) in pending.items():
            pipe.hincrby(redis_keys.REJECTED_HOOKS, f"{store} {status} count", count)
            pipe.hset(redis_keys.REJECTED_HOOKS, f"{store} {status} last", last_at)
        pipe.expire(redis_keys.REJECTED_HOOKS, REJECTIONS_TTL_S)
        pipe.execute()


def get_rejected_hooks(redis: Redis, since: int) -> list[RejectedHooks]:
    """Return the rejections whose last hook came at `since` (µs) or later, newest first. Raises RedisError."""
    fields: Any = redis.hgetall(redis_keys.REJECTED_HOOKS)
    values: dict[tuple[str, str], dict[bytes, int]] = {}
    for name, value in fields.items():
        store, status, field = name.split(b" ")
        values.setdefault((store.decode(), status.decode()), {})[field] = int(value)
    rejections = [RejectedHooks(*key, counts.get(_COUNT, 0), counts.get(_LAST, 0)) for key, counts in values.items()]
    recent = (rejected for rejected in rejections if rejected.last_at >= since)
    return sorted(recent, key=lambda rejected: rejected.last_at, reverse=True)
