"""The pulse of a web process: sends heartbeats into the chain, sees whether they arrive, shares what was counted.

A thread of its own, since Redis and the database may let it wait; whoever asks gets what it saw last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pipeline.ledger.queries import ChainStatus, HeartbeatArrival, assess_chain

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 5.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class HeartbeatDeps:
    """What the pulse moves. Each may raise: then it is told once, and tried again."""

    send: Callable[[], object]  # a heartbeat into the inbox
    look: Callable[[], HeartbeatArrival | None]  # for the last one that arrived
    share: Callable[[], object]  # what this process counted


class HeartbeatThread:
    """`every`: seconds between two heartbeats; 0 sends none. `now` is in µs."""

    def __init__(self, deps: HeartbeatDeps, interval_s: float, now: Callable[[], int]) -> None:
        self._deps = deps
        self._every = interval_s
        self._now = now
        self._began_at: int | None = None
        self._sent_at = 0
        self._arrival: HeartbeatArrival | None = None
        self._ended = threading.Event()
        self._troubles: set[str] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in the process that serves."""
        self._began_at = self._now()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and share what was counted last."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(POLL_INTERVAL_S)
        self._try("share", self._deps.share)

    def chain(self) -> ChainStatus:
        """Whether heartbeats arrive."""
        return assess_chain(self._arrival, self._began_at or self._now(), self._now(), self._every)

    def beat(self) -> None:
        """One round."""
        if self._every and self._now() - self._sent_at >= self._every * 1_000_000:
            self._sent_at = self._now()
            self._try("send", self._deps.send)
        self._try("look", self._look)
        self._try("share", self._deps.share)

    def _look(self) -> None:
        self._arrival = self._deps.look() or self._arrival

    def _run(self) -> None:
        while not self._ended.is_set():
            self.beat()
            self._ended.wait(min(POLL_INTERVAL_S, self._every or POLL_INTERVAL_S))

    def _try(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 whatever is away, the pulse goes on
            if name not in self._troubles:
                log.warning("the pulse has trouble", work=name, error=type(error).__name__)
            self._troubles.add(name)
        else:
            self._troubles.discard(name)
