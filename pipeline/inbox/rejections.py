"""Hooks that came to a right URL and were not taken, by store and status: noted in web, read from Redis.

Only who knows a store's token can add to it, so it holds no more than a few entries for each store.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.infra import redis_keys

REJECTIONS_TTL_S = 7 * 86_400  # after the last one
_COUNT, _LAST = b"count", b"last"


@dataclass(frozen=True, slots=True)
class RejectedHooks:
    """So many hooks of a store were answered with this status; the last one at `last_at` (µs)."""

    store: str
    status: str
    count: int
    last_at: int


class RejectionCounter:
    """What this process has turned away and not yet written down. For any thread."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def note(self, store: str, status: str, now: int) -> None:
        """One more hook was not taken."""
        with self._lock:
            self._add({(store, status): (1, now)})

    def share(self, redis: Redis) -> None:
        """Write down what was noted. Raises RedisError; then it is kept for the next time."""
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            _write(redis, noted)
        except BaseException:
            with self._lock:
                self._add(noted)
            raise

    def _add(self, more: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        for key, (count, last_at) in more.items():
            known, known_at = self._noted.get(key, (0, 0))
            self._noted[key] = known + count, max(known_at, last_at)


def _write(redis: Redis, noted: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    with redis.pipeline(transaction=True) as pipe:
        for (store, status), (count, last_at) in noted.items():
            pipe.hincrby(redis_keys.REJECTED_HOOKS, f"{store} {status} count", count)
            pipe.hset(redis_keys.REJECTED_HOOKS, f"{store} {status} last", last_at)
        pipe.expire(redis_keys.REJECTED_HOOKS, REJECTIONS_TTL_S)
        pipe.execute()


def get_rejected_hooks(redis: Redis, since: int) -> list[RejectedHooks]:
    """What was turned away, if the last one came since then (µs); newest first. Raises RedisError."""
    fields: Any = redis.hgetall(redis_keys.REJECTED_HOOKS)
    found: dict[tuple[str, str], dict[bytes, int]] = {}
    for name, value in fields.items():
        store, status, what = name.split(b" ")
        found.setdefault((store.decode(), status.decode()), {})[what] = int(value)
    all_of_them = [RejectedHooks(*key, one.get(_COUNT, 0), one.get(_LAST, 0)) for key, one in found.items()]
    return sorted((one for one in all_of_them if one.last_at >= since), key=lambda one: one.last_at, reverse=True)
