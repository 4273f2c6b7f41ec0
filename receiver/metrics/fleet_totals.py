"""The counters of the whole fleet as one web process knows them; it publishes its own part."""

from __future__ import annotations

import threading

from redis import Redis

from pipeline.infra.metrics.fleet import MetricsPublisher, Totals, get_totals


class FleetTotals:
    """The last totals read, and what this process has counted since. Their sum never falls while Redis is away.

    To Prometheus a fall looks like a restart, and the rise after it like a burst of hooks.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._shared = MetricsPublisher(redis)
        self._lock = threading.Lock()
        self._totals: Totals | None = None

    def publish(self) -> None:
        """Publish this process's counts. Raises RedisError."""
        with self._lock:
            added = self._shared.publish()
            if self._totals is not None:
                self._totals = _add_totals(self._totals, added)

    def refresh(self) -> None:
        """Read the totals from Redis. Raises RedisError."""
        with self._lock:
            self._totals = get_totals(self._redis)

    def get_current(self) -> Totals | None:
        """Return the totals plus what is not published yet; None if they have never been read."""
        with self._lock:
            return None if self._totals is None else _add_totals(self._totals, self._shared.get_unpublished())


def _add_totals(first: Totals, second: Totals) -> Totals:
    return {name: first.get(name, 0.0) + second.get(name, 0.0) for name in {**first, **second}}
