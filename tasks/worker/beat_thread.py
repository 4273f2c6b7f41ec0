"""Beat as a thread of a worker's main process, for an installation with one worker: a process of its own needs 25 MB.

Of all beats, in threads and processes, only the holder of the lock sends; a beat that takes over waits for that lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import structlog
from celery import Celery
from celery.beat import Service
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from tasks.beat import PatientScheduler

RESTART_DELAY_S = 5.0
STOP_TIMEOUT_S = 3.0  # a tick waits up to a second for the next one

log = structlog.get_logger(__name__)


class BeatThread:
    """Runs beat until it is stopped, and starts it again when an error ends it."""

    def __init__(self, make_service: Callable[[], Service], restart_delay_s: float = RESTART_DELAY_S) -> None:
        self._make_service = make_service
        self._restart_delay_s = restart_delay_s
        self._service: Service | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def start(self) -> None:
        """Start it, unless it has been started: a worker is ready again whenever it has reconnected to its broker."""
        if self._thread.ident is None and not self._stopped.is_set():
            self._thread.start()

    def stop(self) -> None:
        """Ask it to end after its tick."""
        self._stopped.set()
        if self._service is not None:
            self._service.stop()

    def wait(self) -> None:
        """Stop it, and wait until it has released its lock, but not much longer than a tick takes."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._service = self._make_service()
                if not self._stopped.is_set():
                    self._service.start()
            except Exception as error:  # noqa: BLE001 a process would be started again after any error
                log.critical("beat ended, starting it again", error=type(error).__name__)
            self._stopped.wait(self._restart_delay_s)


def make_service(app: Celery) -> Service:
    """Make the beat that the Procfile's line starts."""
    return Service(app, scheduler_cls=PatientScheduler)


def start_with_worker(app: Celery) -> None:
    """Run beat while this process's worker runs."""
    beat = BeatThread(partial(make_service, app))
    worker_ready.connect(lambda **_: beat.start(), weak=False)
    worker_shutting_down.connect(lambda **_: beat.stop(), weak=False)
    worker_shutdown.connect(lambda **_: beat.wait(), weak=False)
