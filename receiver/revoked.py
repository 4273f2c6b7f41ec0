"""Lets web turn away what comes to an address that was revoked, without asking a database while a hook waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import structlog

from pipeline.ledger.revocations import LOOK_S, Revocations

log = structlog.get_logger(__name__)

NAMED_EVERY_S = 60.0


class Revoked:
    """A thread of the process that serves looks at the ledger; requests ask what it saw last."""

    def __init__(self, known: Revocations, now: Callable[[], int], clock: Callable[[], float]) -> None:
        self._known = known
        self._now = now
        self._clock = clock
        self._name_at = float("-inf")
        self._came: Counter[str] = Counter()
        self._ended = threading.Event()

    def __call__(self, store: str, version: int) -> bool:
        """Whether this store's address of this version was revoked."""
        revoked = self._known.is_revoked(store, version, self._now())
        if revoked:
            self._came[store] += 1
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
        if self._came and self._clock() >= self._name_at:
            came, self._came = self._came, Counter()
            self._name_at = self._clock() + NAMED_EVERY_S
            log.warning("hooks come to addresses that were revoked, and are refused", hooks=dict(came))

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 whatever is away, the thread lives on
                log.warning("revoked addresses could not be looked up", error=type(error).__name__)
            self._ended.wait(LOOK_S)
