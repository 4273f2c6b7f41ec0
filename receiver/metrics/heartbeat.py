"""The heartbeat thread of a web process: sends heartbeats into the chain, checks that they arrive, publishes counts.

It has its own thread, since Redis and the database may be slow; `chain` returns the last state that it read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pipeline.ledger.queries import ChainStatus, HeartbeatArrival, assess_chain

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 5.0  # between two rounds


@dataclass(frozen=True, slots=True)
class HeartbeatDeps:
    """What the thread calls. Each may raise: the error is logged once, and the call repeated in the next round."""

    send_heartbeat: Callable[[], object]  # write a heartbeat to the inbox
    load_arrival: Callable[[], HeartbeatArrival | None]  # the last heartbeat that arrived
    share_counts: Callable[[], object]  # publish what this process counted


class HeartbeatThread:
    """Sends a heartbeat every `interval_s` seconds; 0 sends none. `now` is in µs."""

    def __init__(self, deps: HeartbeatDeps, interval_s: float, now: Callable[[], int]) -> None:
        self._deps = deps
        self._interval_s = interval_s
        self._now = now
        self._began_at: int | None = None
        self._sent_at = 0
        self._arrival: HeartbeatArrival | None = None
        self._stopped = threading.Event()
        self._failing: set[str] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; call it in the worker process."""
        self._began_at = self._now()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and publish the last counts."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(POLL_INTERVAL_S)
        self._run_logged("share", self._deps.share_counts)

    def chain(self) -> ChainStatus:
        """Return whether heartbeats arrive."""
        return assess_chain(self._arrival, self._began_at or self._now(), self._now(), self._interval_s)

    def run_once(self) -> None:
        """Send a heartbeat if it is due, load the last arrival, publish the counts."""
        if self._interval_s and self._now() - self._sent_at >= self._interval_s * 1_000_000:
            self._sent_at = self._now()
            self._run_logged("send", self._deps.send_heartbeat)
        self._run_logged("load arrival", self._load_arrival)
        self._run_logged("share", self._deps.share_counts)

    def _load_arrival(self) -> None:
        self._arrival = self._deps.load_arrival() or self._arrival

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.run_once()
            self._stopped.wait(min(POLL_INTERVAL_S, self._interval_s or POLL_INTERVAL_S))

    def _run_logged(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 the thread survives any failure
            if name not in self._failing:
                log.warning("heartbeat thread failed", work=name, error=type(error).__name__)
            self._failing.add(name)
        else:
            self._failing.discard(name)
