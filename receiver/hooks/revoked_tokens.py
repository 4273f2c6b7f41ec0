"""Lets web turn away what comes to an address that was revoked, without asking a database while a hook waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import structlog

from pipeline.ledger.revocations import REFRESH_INTERVAL_S, RevocationCache

log = structlog.get_logger(__name__)

LOG_INTERVAL_S = 60.0


class RevokedTokens:
    """A thread of the process that serves looks at the ledger; requests ask what it saw last."""

    def __init__(self, known: RevocationCache, now: Callable[[], int], clock: Callable[[], float]) -> None:
        self._known = known
        self._now = now
        self._clock = clock
        self._next_log_at = float("-inf")
        self._hits_by_store: Counter[str] = Counter()
        self._ended = threading.Event()

    def __call__(self, store: str, version: int) -> bool:
        """Whether this store's address of this version was revoked."""
        revoked = self._known.is_revoked(store, version, self._now())
        if revoked:
            self._hits_by_store[store] += 1
        return revoked

    def start(self) -> None:
        """Begin, in the process that serves."""
        threading.Thread(target=self._run, name="revoked", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def look(self) -> None:
        """One look at the ledger; now and then a line that names the stores whose revoked addresses are still used."""
        self._known.look()
        if self._hits_by_store and self._clock() >= self._next_log_at:
            came, self._hits_by_store = self._hits_by_store, Counter()
            self._next_log_at = self._clock() + LOG_INTERVAL_S
            log.warning("hooks come to addresses that were revoked, and are refused", hooks=dict(came))

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 whatever is away, the thread lives on
                log.warning("revoked addresses could not be looked up", error=type(error).__name__)
            self._ended.wait(REFRESH_INTERVAL_S)
