"""The route of a hook: straight to the inbox, or to the spool while Redis is unavailable or older hooks wait on disk.

The router is single-threaded and reads no clock; the batch writer calls it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal

from redis import Redis
from redis.exceptions import RedisError

from pipeline.core.hooks import HEARTBEAT
from pipeline.inbox import stream
from pipeline.inbox.circuit_breaker import CircuitBreaker
from pipeline.inbox.entry import RawHook
from pipeline.inbox.replicas import ReplicaWait
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.spool.queue import SpoolUnavailable
from pipeline.infra import metrics

log = logging.getLogger(__name__)

Route = Literal["inbox", "spool", "refused"]
MAX_BATCH_HOOKS = 200
MAX_BATCH_BYTES = 4_000_000  # so that a batch of large hooks does not exceed the Redis timeout
MAX_DRAIN_WAIT_S = 60.0  # while no hooks wait on disk


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """What readiness and metrics report."""

    redis: bool  # hooks may go to Redis
    spool: bool  # hooks can be written to disk
    spooled_hooks: int
    oldest_spooled_at: int | None = None  # µs, when the oldest hook on disk was received


class IngestRouter:
    """Stores hooks in Redis or on disk, and keeps their order across both."""

    def __init__(
        self,
        redis: Redis,
        spools: SpoolDirectory,
        breaker: CircuitBreaker,
        wake_up: Callable[[Iterable[int]], None],
        partitions: int = 1,
        replicas: ReplicaWait | None = None,
    ) -> None:
        """`wake_up` is called with partitions of the inbox. `partitions`: how many a new inbox begins with.

        `replicas`: those that must have a hook before it counts as stored; none by default.
        """
        self._replicas = replicas or ReplicaWait(0, 0.0, lambda: 0.0)
        self._redis = redis
        self._spools = spools
        self._breaker = breaker
        self._wake_up = wake_up
        self._partitions = partitions
        # Redis may have asked for a wake-up in an answer that was lost, and asks for no second one
        self._is_wakeup_unconfirmed = False
        spools.refresh()

    def store(self, hooks: Sequence[RawHook]) -> Route:
        """Store all of the hooks durably, or refuse all of them. Returns their route."""
        route = self._write(hooks)
        metrics.HOOKS.labels(route).inc(sum(hook.source != HEARTBEAT for hook in hooks))
        metrics.WRITE_SIZES.observe(len(hooks))
        return route

    def drain(self) -> bool:
        """Move the oldest hooks on disk to the inbox. Returns whether more wait and may follow at once."""
        self._breaker.check()
        if not self._breaker.is_closed or not self._spools.depth:
            return False
        try:
            return self._drain()
        except SpoolUnavailable as error:
            log.warning("the spool cannot be read", extra={"reason": str(error)})
            return False

    def get_seconds_until_drain(self) -> float:
        """Return for how many seconds there is nothing to drain."""
        is_blocked = self._spools.depth and not self._breaker.is_closed
        return self._breaker.get_seconds_until_check() if is_blocked else MAX_DRAIN_WAIT_S

    def refresh(self) -> IngestStatus:
        """Adopt spools whose process has died, and return the status."""
        self._spools.refresh()
        return self.get_status()

    def get_status(self) -> IngestStatus:
        """Return whether Redis and the spool accept hooks, and how many wait on disk."""
        return IngestStatus(
            self._breaker.is_closed, self._spools.is_writable(), self._spools.depth, self._get_oldest_received_at()
        )

    def close(self) -> None:
        """Close the spools and the connection to Redis."""
        self._spools.close()
        self._redis.close()

    def _get_oldest_received_at(self) -> int | None:
        with contextlib.suppress(SpoolUnavailable):
            return self._spools.get_oldest_received_at() if self._spools.depth else None
        return None

    def _write(self, hooks: Sequence[RawHook]) -> Route:
        # While hooks wait on disk, a new one must not overtake them.
        if self._breaker.is_closed and not self._spools.depth and self._add(hooks):
            return "inbox"
        try:
            self._spools.append(hooks)
        except SpoolUnavailable as error:
            log.critical("neither Redis nor the spool takes hooks", extra={"reason": str(error)})
            return "refused"
        return "spool"

    def _add(self, hooks: Sequence[RawHook]) -> bool:
        """Add hooks to the inbox. After a timeout they may be there all the same; the ledger recognises the receipt."""
        try:
            with self._replicas.confirming(self._redis) as redis:
                woken: Collection[int] = stream.add_all(redis, hooks, self._partitions)
        except RedisError as error:
            self._is_wakeup_unconfirmed = True
            self._breaker.trip(type(error).__name__)
            return False
        self._breaker.record_success(sum(hook.size for hook in hooks))
        if self._is_wakeup_unconfirmed:
            with contextlib.suppress(RedisError):
                woken = stream.get_depths(self._redis)
                self._is_wakeup_unconfirmed = False
        if woken:
            self._wake_up(woken)
        return True

    def _drain(self) -> bool:
        batch = self._spools.get_next_batch(MAX_BATCH_HOOKS, MAX_BATCH_BYTES)
        if batch is None or not self._add(batch.hooks):
            return False
        batch.remove()
        metrics.SPOOL_DRAINED.inc(len(batch.hooks))
        return self._spools.depth > 0


class WakeupThread:
    """Wakes chains from a thread of its own, so that a slow broker never delays an acknowledgement.

    Requests that come during a wake-up share the next one.
    """

    def __init__(self, wake_up: Callable[[int], None]) -> None:
        self._wake_up = wake_up
        self._requested: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._run, name="wakeup", daemon=True).start()

    def request(self, partitions: Iterable[int] = (0,)) -> None:
        """Wake the chains of these partitions soon."""
        for partition in partitions:
            self._requested.put(partition)

    def _run(self) -> None:
        while True:
            wanted = {self._requested.get()}
            with contextlib.suppress(Empty):
                while True:
                    wanted.add(self._requested.get_nowait())
            for partition in sorted(wanted):
                self._wake_once(partition)

    def _wake_once(self, partition: int) -> None:
        try:
            self._wake_up(partition)
        except Exception as error:  # noqa: BLE001 whatever the broker's client raises, the thread lives on
            # A lost wake-up costs time only: its flag expires, and the sweep wakes the chain.
            log.warning("the chain could not be woken", extra={"reason": type(error).__name__})
