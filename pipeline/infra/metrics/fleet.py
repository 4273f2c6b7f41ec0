"""Adds one process's counts to the fleet's totals, a hash in Redis, and reads those totals.

The children of a worker pool come and go and cannot share a port; a hash outlives them all. Each process adds its
increase since the last time. A process that is killed loses a few seconds of counts: metrics are for observing, exact
counts are in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from redis import Redis

from pipeline.infra import redis_keys
from pipeline.infra.metrics import REGISTRY

Totals = dict[str, float]  # a series' name and labels as JSON -> its value


class MetricsPublisher:
    """Publishes this process's counts. Not for several threads at once."""

    def __init__(self, redis: Redis, counted: CollectorRegistry = REGISTRY) -> None:
        self._redis = redis
        self._counted = counted
        self._published = _collect_series(counted)  # counts from before a fork are added by the parent

    def get_unpublished(self) -> Totals:
        """Return what this process has counted and not added to the totals yet."""
        counts = _collect_series(self._counted)
        return {name: more for name, value in counts.items() if (more := value - self._published.get(name, 0.0))}

    def publish(self) -> Totals:
        """Add the new counts to the totals and return them. Raises RedisError; the next call adds them then."""
        more = self.get_unpublished()
        if not more:
            return more
        with self._redis.pipeline(transaction=True) as pipe:
            for name, value in more.items():
                pipe.hincrbyfloat(redis_keys.METRICS, name, value)
            pipe.execute()
        for name, value in more.items():
            self._published[name] = self._published.get(name, 0.0) + value
        return more


def get_totals(redis: Redis) -> Totals:
    """Return the fleet's totals."""
    totals: Any = redis.hgetall(redis_keys.METRICS)
    return {name.decode(): float(value) for name, value in totals.items()}


def build_families(totals: Mapping[str, float]) -> Iterable[Metric]:
    """Yield every metric family of this release, with its totals."""
    values = dict.fromkeys(_collect_series(REGISTRY), 0.0) | dict(totals)
    series = sorted((_parse_series_name(name) for name in values), key=_get_sort_key)
    for family in REGISTRY.collect():
        metric = Metric(family.name, family.documentation, family.type)
        for name, labels in series:
            if name.startswith(family.name) and name.removeprefix(family.name) in _SUFFIXES[family.type]:
                metric.add_sample(name, labels, values[_format_series_name(name, labels)])
        yield metric


_SUFFIXES = {"counter": {"_total"}, "histogram": {"_bucket", "_count", "_sum"}}


def _collect_series(counted: CollectorRegistry) -> Totals:
    return {
        _format_series_name(sample.name, sample.labels): float(sample.value)
        for family in counted.collect()
        for sample in family.samples
    }


def _format_series_name(name: str, labels: Mapping[str, str]) -> str:
    return json.dumps([name, dict(sorted(labels.items()))], separators=(",", ":"))


def _parse_series_name(name: str) -> tuple[str, dict[str, str]]:
    parsed: tuple[str, dict[str, str]] = tuple(json.loads(name))
    return parsed


def _get_sort_key(series: tuple[str, dict[str, str]]) -> tuple[list[tuple[str, str]], str, float]:
    """Return a key that sorts the buckets of a histogram from small to large, as the format requires."""
    name, labels = series
    others = sorted((key, value) for key, value in labels.items() if key != "le")
    return others, name, float(labels.get("le", 0))
