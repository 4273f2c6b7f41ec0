"""Adds a worker process's metrics to the totals of all processes, every few seconds and at its exit."""

from __future__ import annotations

import threading

import structlog
from redis import RedisError

from pipeline.infra.metrics.fleet import MetricsPublisher
from tasks.process import get_process_context

log = structlog.get_logger(__name__)

PUBLISH_INTERVAL_S = 5.0


class PublisherThread:
    """A thread that publishes the metrics of one process."""

    def __init__(self, publisher: MetricsPublisher, interval_s: float = PUBLISH_INTERVAL_S) -> None:
        self._publisher = publisher
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Start the thread; to be called after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """Publish the rest and stop."""
        self._stopped.set()
        self._thread.join(self._interval_s)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopped.wait(self._interval_s)
            try:
                self._publisher.publish()
            except RedisError as error:
                log.debug("metrics could not be published yet", error=type(error).__name__)


_publishers: list[PublisherThread] = []


def start() -> None:
    """Start publishing this process's metrics."""
    _publishers[:] = [PublisherThread(MetricsPublisher(get_process_context().redis))]
    _publishers[0].start()


def stop() -> None:
    """Publish the rest and stop."""
    for publisher in _publishers:
        publisher.stop()
