"""Waits until replicas have a write, so that a hook outlives the machine of the Redis that took it.

`WAITAOF` counts replicas that have the write on disk. One without an append-only file never counts. A server that does
not know the command (Redis before 7.2) is asked with `WAIT`, which counts replicas that have it in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pipeline.infra import redis_keys

MAX_QUESTION_MS = 20  # Redis asks its replicas once for each of our questions, and one that is busy answers too early
MAX_LAG_S = 10  # a replica that has not reported for longer is not connected, whatever the primary still believes


class ReplicasMissing(RedisError):
    """Fewer replicas than wanted have confirmed a write in time. It may reach them later all the same."""


class ReplicaWait:
    """Confirms writes. Replicas confirm the last write of a connection, so both must go through the same one.

    Not for several threads.
    """

    def __init__(self, count: int, timeout_s: float, clock: Callable[[], float]) -> None:
        """`count`: how many replicas must confirm within the timeout; with 0 nothing is waited for."""
        self.count = count
        self.counts_disks = True  # False once the server does not know WAITAOF
        self._timeout_s = timeout_s
        self._clock = clock
        self._were_missing = False

    @contextmanager
    def confirming(self, redis: Redis) -> Iterator[Redis]:
        """Give a client with one connection, and return once enough replicas have what the block wrote last.

        Raises ReplicasMissing, or RedisError if Redis is away.
        """
        if not self.count:
            yield redis
            return
        # A new one each time: redis-py asks Sentinels for the primary only when a connection leaves its pool.
        with closing(redis.client()) as one:  # type: ignore[no-untyped-call]
            yield one
            self._confirm(one)

    def check(self, redis: Redis) -> None:
        """Find out whether replicas that were missing confirm again, without writing a hook. Raises as `confirming`."""
        if self._were_missing:
            with self.confirming(redis) as one:
                one.set(redis_keys.REPLICA_PROBE, 1)

    def _confirm(self, one: Redis) -> None:
        self._were_missing = True
        deadline = self._clock() + self._timeout_s
        while (found := self._ask(one, deadline - self._clock())) < self.count:
            if self._clock() >= deadline:
                raise ReplicasMissing(f"{found} of {self.count} replicas have confirmed a write")
        self._were_missing = False

    def _ask(self, one: Redis, left_s: float) -> int:
        wait_ms = max(1, min(MAX_QUESTION_MS, round(left_s * 1000)))  # 0 would wait for ever
        if self.counts_disks:
            try:
                answer: Any = one.execute_command("WAITAOF", 1, self.count, wait_ms)  # type: ignore[no-untyped-call]
                return int(answer[1])
            except ResponseError as error:
                if "unknown command" not in str(error).lower():
                    raise
                self.counts_disks = False
        return int(one.execute_command("WAIT", self.count, wait_ms))  # type: ignore[no-untyped-call]


def count_replicas(facts: Mapping[str, Any]) -> int:
    """Return how many replicas are connected, from a primary's INFO."""
    rows = [facts.get(f"slave{number}") for number in range(int(facts.get("connected_slaves", 0)))]
    return sum(
        isinstance(row, dict) and row.get("state") == "online" and int(row.get("lag", 0)) <= MAX_LAG_S for row in rows
    )
