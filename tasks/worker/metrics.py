"""Adds what a worker process counts to the fleet's totals, every few seconds and once more at its end."""

from __future__ import annotations

import threading

import structlog
from redis import RedisError

from pipeline.infra.metrics.fleet import MetricsPublisher
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

PUBLISH_INTERVAL_S = 5.0  # seconds


class PublisherThread:
    """A thread beside the tasks of one process."""

    def __init__(self, shared: MetricsPublisher, every: float = PUBLISH_INTERVAL_S) -> None:
        self._shared = shared
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin; in the process that counts, after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """Add what is left."""
        self._ended.set()
        self._thread.join(self._every)

    def _run(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(self._every)
            try:
                self._shared.add()
            except RedisError as error:
                log.debug("what was counted waits", error=type(error).__name__)


_publishers: list[PublisherThread] = []


def start() -> None:
    """Share what this process counts from now on."""
    _publishers[:] = [PublisherThread(MetricsPublisher(get_process_context().redis))]
    _publishers[0].start()


def stop() -> None:
    """Share the rest."""
    for one in _publishers:
        one.stop()
