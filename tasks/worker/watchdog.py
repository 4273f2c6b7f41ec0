"""Watchdog: exits a worker that has stopped consuming although messages wait. Its supervisor restarts it.

A worker can stop consuming without noticing, above all when its broker went away and came back (Celery's issues 8091,
9054 and 10205). Exiting loses nothing: sweeps send messages again, and tasks may run twice.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import billiard
import structlog
from celery import Celery
from celery.worker import state
from redis import RedisError

from pipeline.infra import metrics
from pipeline.infra.metrics.fleet import MetricsPublisher
from tasks.process import get_process_context
from tasks.worker.backpressure import count_messages

log = structlog.get_logger(__name__)

CHECK_INTERVAL_S = 5.0
IDLE_LIMIT_S = 20.0  # a worker with nothing to do takes a message within milliseconds
BUSY_LIMIT_S = 180.0  # a worker with busy processes may leave messages until the hard time limit ends a task
EXIT_CODE = 75  # EX_TEMPFAIL: try again


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The state of a worker's queues at one moment."""

    waiting: Mapping[str, int]  # queue -> messages in it
    taken: Mapping[str, int]  # queue -> messages that the worker has ever taken from it
    is_busy: bool


class StallDetector:
    """Compares consecutive snapshots; `clock` in seconds. A stall of one queue counts, even if others are consumed."""

    def __init__(self, clock: Callable[[], float], idle_limit: float, busy_limit: float) -> None:
        self._clock = clock
        self._limits = {False: idle_limit, True: busy_limit}
        self._stalled_since: dict[str, tuple[int, float]] = {}  # queue -> messages taken by then, and since when

    def is_stalled(self, snapshot: QueueSnapshot | None) -> bool:
        """Return whether the worker has stopped consuming. None: the broker could not be asked, so it is unknown."""
        if snapshot is None:
            self._stalled_since.clear()
            return False
        now, before = self._clock(), self._stalled_since
        waiting = {queue: (snapshot.taken.get(queue, 0), now) for queue, count in snapshot.waiting.items() if count}
        self._stalled_since = {
            queue: before[queue] if before.get(queue, (-1,))[0] == entry[0] else entry
            for queue, entry in waiting.items()
        }
        return any(now - since > self._limits[snapshot.is_busy] for _, since in self._stalled_since.values())


class Watchdog:
    """A thread in the worker's main process. `queues` are those it was started with, whatever it consumes now."""

    def __init__(
        self, app: Celery, queues: Iterable[str], detector: StallDetector, on_stall: Callable[[QueueSnapshot], None]
    ) -> None:
        self._app = app
        self._queues = tuple(queues)
        self._detector = detector
        self._on_stall = on_stall
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching: the worker shuts down."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(CHECK_INTERVAL_S):
            snapshot = self._take_snapshot()
            if self._detector.is_stalled(snapshot) and snapshot is not None and not self._stopped.is_set():
                self._on_stall(snapshot)

    def _take_snapshot(self) -> QueueSnapshot | None:
        try:
            with self._app.connection_for_read() as connection:
                waiting = {queue: count_messages(connection, queue) for queue in self._queues}
        except Exception as error:  # noqa: BLE001 each broker's client has its own; a worker without broker is not stalled
            log.debug("broker unavailable to the watchdog", error=type(error).__name__)
            return None
        is_busy = bool(state.active_requests or state.reserved_requests)
        return QueueSnapshot(waiting, dict(_taken_by_queue), is_busy)


def exit_worker(snapshot: QueueSnapshot) -> None:
    """Kill the pool and exit at once: a worker that stopped consuming would not get a remote shutdown, either."""
    log.critical("worker stopped consuming, exiting for restart", waiting=dict(snapshot.waiting))
    with contextlib.suppress(RedisError):
        publisher = MetricsPublisher(get_process_context().redis)
        metrics.STALLED_WORKERS.inc()
        publisher.publish()
    for child in billiard.active_children():
        os.kill(child.pid, signal.SIGKILL)
    os._exit(EXIT_CODE)


_watchdogs: list[Watchdog] = []
_taken_by_queue: Counter[str] = Counter()  # queue -> messages


def count_taken(request: Any) -> None:
    """Count a message that was taken. Our queues have the names of their routing keys."""
    _taken_by_queue[request.delivery_info["routing_key"]] += 1


def start(consumer: Any) -> None:
    """Watch the worker of this consumer. Called again whenever it has reconnected to its broker."""
    if _watchdogs:
        return
    app, detector = consumer.app, StallDetector(time.monotonic, IDLE_LIMIT_S, BUSY_LIMIT_S)
    _watchdogs.append(Watchdog(app, app.amqp.queues.consume_from, detector, exit_worker))
    _watchdogs[0].start()


def stop() -> None:
    """Stop watching."""
    for watchdog in _watchdogs:
        watchdog.stop()
