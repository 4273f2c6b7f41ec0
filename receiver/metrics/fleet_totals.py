"""What the fleet has counted, as one web process knows it: for the pulse, which shares its part, and for the page."""

from __future__ import annotations

import threading

from redis import Redis

from pipeline.infra.metrics.fleet import MetricsPublisher, Totals, get_totals


class FleetTotals:
    """The last totals seen and what this process has counted since. Their sum never falls while Redis is away.

    A fall would look to Prometheus like a restart, and the way back up like a burst of hooks.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._shared = MetricsPublisher(redis)
        self._lock = threading.Lock()
        self._totals: Totals | None = None

    def share(self) -> None:
        """Add this process's part to the totals. Raises RedisError."""
        with self._lock:
            added = self._shared.add()
            if self._totals is not None:
                self._totals = _add_totals(self._totals, added)

    def read(self) -> None:
        """Look the totals up. Raises RedisError."""
        with self._lock:
            self._totals = get_totals(self._redis)

    def now(self) -> Totals | None:
        """Totals and what is not in them yet; None if they have never been seen."""
        with self._lock:
            return None if self._totals is None else _add_totals(self._totals, self._shared.fresh())


def _add_totals(one: Totals, other: Totals) -> Totals:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}
