"""Where a hook goes: straight into the inbox, or to the spool while Redis takes none or older hooks wait on disk.

Single-threaded and without a clock of its own: the writer calls it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from redis import Redis
from redis.exceptions import RedisError

from pipeline.core.hooks import HEARTBEAT
from pipeline.inbox import stream
from pipeline.inbox.circuit_breaker import CircuitBreaker
from pipeline.inbox.entry import RawHook
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.spool.queue import SpoolUnavailable
from pipeline.infra import metrics

log = logging.getLogger(__name__)

Route = Literal["inbox", "spool", "refused"]
MAX_BATCH_HOOKS = 200
MAX_DRAIN_WAIT_S = 60.0  # seconds: while nothing waits on disk
MAX_BATCH_BYTES = 4_000_000  # so that a batch of large hooks does not outlast the timeout


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """What readiness wants to know."""

    redis: bool
    spool: bool
    spooled_hooks: int
    oldest_spooled_at: int | None = None  # µs, when the one that waits longest was received


class IngestRouter:
    """The two ways and the order between them."""

    def __init__(self, redis: Redis, spools: SpoolDirectory, tap: CircuitBreaker, kick: Callable[[], None]) -> None:
        self._redis = redis
        self._spools = spools
        self._tap = tap
        self._wake_up = kick
        self._is_wakeup_unconfirmed = (
            False  # Redis may have asked for a kick that nobody heard of, and asks for no second one
        )
        spools.look()

    def keep(self, hooks: Sequence[RawHook]) -> Route:
        """Keep all of them durably, or say that they are refused."""
        way = self._choose_route(hooks)
        metrics.HOOKS.labels(way).inc(sum(hook.source != HEARTBEAT for hook in hooks))
        metrics.WRITE_SIZES.observe(len(hooks))
        return way

    def drain(self) -> bool:
        """Move the oldest hooks on disk into the inbox. True if more wait and may follow at once."""
        self._tap.look()
        if not self._tap.open or not self._spools.depth:
            return False
        try:
            return self._drain()
        except SpoolUnavailable as error:
            log.warning("the spool cannot be read", extra={"reason": str(error)})
            return False

    def patience(self) -> float:
        """For how many seconds nothing needs to be drained."""
        return self._tap.patience() if self._spools.depth and not self._tap.open else MAX_DRAIN_WAIT_S

    def look(self) -> IngestStatus:
        """See to spools that lost their owner, and say how things are."""
        self._spools.look()
        return self.get_status()

    def get_status(self) -> IngestStatus:
        """How things are."""
        return IngestStatus(
            self._tap.open, self._spools.is_writable(), self._spools.depth, self._get_oldest_received_at()
        )

    def close(self) -> None:
        """Let go of the spools and of Redis."""
        self._spools.close()
        self._redis.close()

    def _get_oldest_received_at(self) -> int | None:
        with contextlib.suppress(SpoolUnavailable):
            return self._spools.get_oldest_received_at() if self._spools.depth else None
        return None

    def _choose_route(self, hooks: Sequence[RawHook]) -> Route:
        # While anything waits on disk a new hook must not overtake it.
        if self._tap.open and not self._spools.depth and self._add(hooks):
            return "inbox"
        try:
            self._spools.append(hooks)
        except SpoolUnavailable as error:
            log.critical("neither Redis nor the spool takes hooks", extra={"reason": str(error)})
            return "refused"
        return "spool"

    def _add(self, hooks: Sequence[RawHook]) -> bool:
        """Into the inbox. After a time-out they may be there all the same; the ledger knows a receipt again."""
        try:
            kick_wanted = stream.add_all(self._redis, hooks)
        except RedisError as error:
            self._is_wakeup_unconfirmed = True
            self._tap.trip(type(error).__name__)
            return False
        self._tap.record_success(sum(hook.size for hook in hooks))
        if kick_wanted or self._is_wakeup_unconfirmed:
            self._is_wakeup_unconfirmed = False
            self._wake_up()
        return True

    def _drain(self) -> bool:
        front = self._spools.get_next_batch(MAX_BATCH_HOOKS, MAX_BATCH_BYTES)
        if front is None or not self._add(front.hooks):
            return False
        front.remove()
        metrics.SPOOL_DRAINED.inc(len(front.hooks))
        return self._spools.depth > 0
