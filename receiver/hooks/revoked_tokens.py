"""Knows which hook URLs were revoked, so that web rejects their hooks without a query while a hook waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import structlog

from pipeline.ledger.revocations import REFRESH_INTERVAL_S, RevocationCache

log = structlog.get_logger(__name__)

LOG_INTERVAL_S = 60.0


class RevokedTokens:
    """A thread reads revocations from the ledger; requests use the state that it read last."""

    def __init__(self, revocations: RevocationCache, now: Callable[[], int], clock: Callable[[], float]) -> None:
        self._revocations = revocations
        self._now = now
        self._clock = clock
        self._next_log_at = float("-inf")
        self._hits_by_store: Counter[str] = Counter()
        self._stopped = threading.Event()

    def __call__(self, store: str, version: int) -> bool:
        """Return whether this token version of the store was revoked."""
        revoked = self._revocations.is_revoked(store, version, self._now())
        if revoked:
            self._hits_by_store[store] += 1
        return revoked

    def start(self) -> None:
        """Start the thread; call it in the worker process."""
        threading.Thread(target=self._run, name="revoked", daemon=True).start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stopped.set()

    def refresh(self) -> None:
        """Read revocations if they are due. Once a minute, log the stores whose revoked URLs are still used."""
        self._revocations.refresh_if_due()
        if self._hits_by_store and self._clock() >= self._next_log_at:
            hits_by_store, self._hits_by_store = self._hits_by_store, Counter()
            self._next_log_at = self._clock() + LOG_INTERVAL_S
            log.warning("rejected hooks sent to revoked URLs", hooks=dict(hits_by_store))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 the thread survives any failure
                log.warning("reading revoked URLs failed", error=type(error).__name__)
            self._stopped.wait(REFRESH_INTERVAL_S)
