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

from pipeline import metrics
from pipeline.inbox import stream
from pipeline.inbox.raw_hook import RawHook
from pipeline.inbox.spool import SpoolFull
from pipeline.inbox.spools import Spools
from pipeline.inbox.tap import Tap
from pipeline.model import HEARTBEAT

log = logging.getLogger(__name__)

Way = Literal["inbox", "spool", "refused"]
BATCH_COUNT = 200
LONG = 60.0  # seconds: while nothing waits on disk
BATCH_BYTES = 4_000_000  # so that a batch of large hooks does not outlast the timeout


@dataclass(frozen=True, slots=True)
class Condition:
    """What readiness wants to know."""

    redis: bool
    spool: bool
    spooled: int
    spooled_since: int | None = None  # µs, when the one that waits longest was received


class WayIn:
    """The two ways and the order between them."""

    def __init__(self, redis: Redis, spools: Spools, tap: Tap, kick: Callable[[], None]) -> None:
        self._redis = redis
        self._spools = spools
        self._tap = tap
        self._kick = kick
        self._unanswered = False  # Redis may have asked for a kick that nobody heard of, and asks for no second one
        spools.look()

    def keep(self, hooks: Sequence[RawHook]) -> Way:
        """Keep all of them durably, or say that they are refused."""
        way = self._way_for(hooks)
        metrics.HOOKS.labels(way).inc(sum(hook.source != HEARTBEAT for hook in hooks))
        metrics.WRITTEN.observe(len(hooks))
        return way

    def drain(self) -> bool:
        """Move the oldest hooks on disk into the inbox. True if more wait and may follow at once."""
        self._tap.look()
        if not self._tap.open or not self._spools.depth:
            return False
        try:
            return self._drain()
        except SpoolFull as error:
            log.warning("the spool cannot be read", extra={"reason": str(error)})
            return False

    def patience(self) -> float:
        """For how many seconds nothing needs to be drained."""
        return self._tap.patience() if self._spools.depth and not self._tap.open else LONG

    def look(self) -> Condition:
        """See to spools that lost their owner, and say how things are."""
        self._spools.look()
        return self.condition()

    def condition(self) -> Condition:
        """How things are."""
        return Condition(self._tap.open, self._spools.writable(), self._spools.depth, self._oldest())

    def close(self) -> None:
        """Let go of the spools and of Redis."""
        self._spools.close()
        self._redis.close()

    def _oldest(self) -> int | None:
        with contextlib.suppress(SpoolFull):
            return self._spools.oldest() if self._spools.depth else None
        return None

    def _way_for(self, hooks: Sequence[RawHook]) -> Way:
        # While anything waits on disk a new hook must not overtake it.
        if self._tap.open and not self._spools.depth and self._add(hooks):
            return "inbox"
        try:
            self._spools.append(hooks)
        except SpoolFull as error:
            log.critical("neither Redis nor the spool takes hooks", extra={"reason": str(error)})
            return "refused"
        return "spool"

    def _add(self, hooks: Sequence[RawHook]) -> bool:
        """Into the inbox. After a time-out they may be there all the same; the ledger knows a receipt again."""
        try:
            kick_wanted = stream.add_all(self._redis, hooks)
        except RedisError as error:
            self._unanswered = True
            self._tap.shut(type(error).__name__)
            return False
        self._tap.poured(sum(hook.size for hook in hooks))
        if kick_wanted or self._unanswered:
            self._unanswered = False
            self._kick()
        return True

    def _drain(self) -> bool:
        front = self._spools.front(BATCH_COUNT, BATCH_BYTES)
        if front is None or not self._add(front.hooks):
            return False
        front.remove()
        metrics.DRAINED.inc(len(front.hooks))
        return self._spools.depth > 0
