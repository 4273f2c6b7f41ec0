"""A worker that `cratewire run` starts when messages wait for it, and that ends when it has had none for a minute.

The worker of live hooks, which always runs, looks at the other one's queues and writes a byte to `run`, which starts it
unless it runs. Messages wait in their queues meanwhile.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import structlog
from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state

from tasks.worker.backpressure import count_messages_on

LOOK_INTERVAL_S = 2.0
IDLE_CHECK_INTERVAL_S = 5.0
WAKE = b"w"

log = structlog.get_logger(__name__)


class QueueWatch:
    """Wakes another worker while messages wait in its queues. `wake` must not block."""

    def __init__(self, app: Celery, queues: Iterable[str], wake: Callable[[], object]) -> None:
        self._app = app
        self._queues = tuple(queues)
        self._wake = wake
        self._channel: Any = None  # kept open: on Redis each channel is a connection of its own

    def look(self) -> None:
        """Look once. An unavailable broker is looked at again two seconds later; its clients log it."""
        try:
            waiting = self._count_waiting()
        except Exception as error:  # noqa: BLE001 each broker's client has its own
            log.debug("broker unavailable to the queue watch", error=type(error).__name__)
            self._disconnect()
        else:
            if waiting:
                self._wake()

    def _count_waiting(self) -> int:
        if self._channel is None:
            connection = self._app.connection_for_read()
            connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
            self._channel = connection.channel()
        return sum(count_messages_on(self._channel, queue) for queue in self._queues)

    def _disconnect(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(Exception):  # it is broken
                channel.connection.client.close()


class IdleEnd:
    """Ends a worker that has taken no message for so long. `end` asks it to finish what it has."""

    def __init__(
        self, count_taken: Callable[[], int], is_busy: Callable[[], bool], idle_s: float, now: Callable[[], float]
    ) -> None:
        self._count_taken = count_taken
        self._is_busy = is_busy
        self._idle_s = idle_s
        self._now = now
        self._taken, self._active_at = count_taken(), now()

    def is_due(self) -> bool:
        """Return whether the worker has been idle for long enough."""
        taken = self._count_taken()
        if self._is_busy() or taken != self._taken:
            self._taken, self._active_at = taken, self._now()
        return self._now() - self._active_at >= self._idle_s


def wake_with_worker(app: Celery, queues: Iterable[str], number: int) -> None:
    """While this process's worker runs, write to the open file of this number when messages wait in these queues."""
    os.set_blocking(number, False)

    def wake() -> None:
        with suppress(OSError):  # `run` has not read the bytes before, or has gone
            os.write(number, WAKE)

    _run_with_worker("queue watch", LOOK_INTERVAL_S, QueueWatch(app, queues, wake).look)


def end_when_idle(idle_s: float) -> None:
    """End this process's worker, as a SIGTERM does, when it has taken no message for so long."""
    idle = IdleEnd(
        lambda: sum(state.total_count.values()),
        lambda: bool(state.active_requests or state.reserved_requests),
        idle_s,
        time.monotonic,
    )

    def check() -> None:
        if idle.is_due():
            os.kill(os.getpid(), signal.SIGTERM)

    _run_with_worker("idle end", IDLE_CHECK_INTERVAL_S, check)


def _run_with_worker(name: str, every_s: float, check: Callable[[], None]) -> None:
    """Run the check in a thread of the worker's main process, from when it is ready until it stops."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(every_s):
            check()

    thread = threading.Thread(target=run, name=name, daemon=True)

    def start(**_: object) -> None:  # the worker is ready again when it has reconnected to its broker
        if thread.ident is None:
            thread.start()

    worker_ready.connect(start, weak=False)
    worker_shutting_down.connect(lambda **_: stopped.set(), weak=False)
