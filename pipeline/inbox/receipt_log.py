"""Tells which hooks were taken, many in one line: a line for each write would cost a tenth of what the write does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from pipeline.core.hooks import HEARTBEAT
from pipeline.inbox.entry import RawHook

log = structlog.get_logger(__name__)

MAX_RECEIPTS_PER_LINE = 100  # receipts in a line
MAX_RECEIPT_DELAY_S = 1.0  # a receipt waits for others no longer than this


class ReceiptLog:
    """The writer's, and not for several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._route = ""
        self._receipts: list[str] = []
        self._since = 0.0

    def took(self, way: str, hooks: Iterable[RawHook]) -> None:
        """These went this way."""
        receipts = [hook.receipt for hook in hooks if hook.source != HEARTBEAT]
        if not receipts:
            return
        if way != self._route:
            self.close()
        if not self._receipts:
            self._since = self._clock()
        self._route = way
        self._receipts += receipts

    def tell(self) -> None:
        """Write the line if it is time."""
        if self._receipts and (
            len(self._receipts) >= MAX_RECEIPTS_PER_LINE or self._clock() - self._since >= MAX_RECEIPT_DELAY_S
        ):
            self.close()

    def close(self) -> None:
        """Write it in any case."""
        if self._receipts:
            log.info("hooks taken", way=self._route, receipts=self._receipts)
            self._receipts = []
