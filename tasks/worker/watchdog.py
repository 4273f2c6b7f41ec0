"""Ends a worker that is deaf: messages wait for it, and it takes none. Whoever supervises it starts it again.

A worker can lose its ear without noticing, above all when its broker went away and came back (Celery's issues 8091,
9054 and 10205). Nothing is lost by an end: messages are hints, and tasks may run twice.
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

CHECK_INTERVAL_S = 5.0  # seconds between two looks
IDLE_LIMIT_S = 20.0  # a worker with nothing to do takes a message within milliseconds
BUSY_LIMIT_S = 180.0  # one whose processes are all at work may leave messages until the hard time limit ends a task
EXIT_CODE = 75  # EX_TEMPFAIL: try again


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """What was seen of a worker at one moment."""

    waiting: Mapping[str, int]  # queue -> messages in it
    taken: Mapping[str, int]  # queue -> how many it has taken from it, ever
    busy: bool


class StallDetector:
    """Judges looks in a row; `clock` in seconds. Deaf to one queue is deaf: its others may keep a worker at work."""

    def __init__(self, clock: Callable[[], float], idle_limit: float, busy_limit: float) -> None:
        self._clock = clock
        self._limits = {False: idle_limit, True: busy_limit}
        self._silent: dict[str, tuple[int, float]] = {}  # queue -> how many had been taken from it, and since when

    def judge(self, look: QueueSnapshot | None) -> bool:
        """Whether it is deaf. None: nobody could look, which says nothing about its ears."""
        if look is None:
            self._silent.clear()
            return False
        now, before = self._clock(), self._silent
        silent = {queue: (look.taken.get(queue, 0), now) for queue, messages in look.waiting.items() if messages}
        self._silent = {
            queue: before[queue] if before.get(queue, (-1,))[0] == seen[0] else seen for queue, seen in silent.items()
        }
        return any(now - since > self._limits[look.busy] for _, since in self._silent.values())


class Watchdog:
    """A thread in the worker's main process. The queues are those it was told to hear, whatever it hears now."""

    def __init__(
        self, app: Celery, queues: Iterable[str], deafness: StallDetector, bite: Callable[[QueueSnapshot], None]
    ) -> None:
        self._app = app
        self._queues = tuple(queues)
        self._detector = deafness
        self._on_stall = bite
        self._ended = threading.Event()

    def start(self) -> None:
        """Watch until the end."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """The worker ends by itself: from here on silence is no fault."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(CHECK_INTERVAL_S):
            look = self._look()
            if self._detector.judge(look) and look is not None and not self._ended.is_set():
                self._on_stall(look)

    def _look(self) -> QueueSnapshot | None:
        try:
            with self._app.connection_for_read() as connection:
                waiting = {queue: count_messages(connection, queue) for queue in self._queues}
        except Exception as error:  # noqa: BLE001 each broker's client has its own; a worker without broker is not deaf
            log.debug("the broker could not be asked", error=type(error).__name__)
            return None
        busy = bool(state.active_requests or state.reserved_requests)
        return QueueSnapshot(waiting, dict(_taken_by_queue), busy)


def exit_worker(look: QueueSnapshot) -> None:
    """At once: a worker that does not hear does not hear that it is to stop, either."""
    log.critical("this worker is deaf and ends, to be started again", waiting=dict(look.waiting))
    with contextlib.suppress(RedisError):
        shared = MetricsPublisher(get_process_context().redis)
        metrics.STALLED_WORKERS.inc()
        shared.add()
    for child in billiard.active_children():
        os.kill(child.pid, signal.SIGKILL)
    os._exit(EXIT_CODE)


_watchdogs: list[Watchdog] = []
_taken_by_queue: Counter[str] = Counter()  # queue -> messages


def count_taken(request: Any) -> None:
    """A message was taken. Our queues are named as their routing keys."""
    _taken_by_queue[request.delivery_info["routing_key"]] += 1


def start(consumer: Any) -> None:
    """Watch the worker this consumer belongs to. Called again whenever it has found its broker again."""
    if _watchdogs:
        return
    app, deafness = consumer.app, StallDetector(time.monotonic, IDLE_LIMIT_S, BUSY_LIMIT_S)
    _watchdogs.append(Watchdog(app, app.amqp.queues.consume_from, deafness, exit_worker))
    _watchdogs[0].start()


def stop() -> None:
    """Watch no longer."""
    for one in _watchdogs:
        one.stop()
