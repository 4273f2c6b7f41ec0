"""Adds what one process counted to the fleet's totals, a hash in Redis, and reads those totals.

A pool's children come and go, and one port cannot be shared by them; a hash outlives them all. Each process adds its
increase since it last did. One that is killed takes a few seconds of counts along: these are numbers for looking at,
the ledger's are for trusting.
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
    """This process's part in the totals. Not for several threads at once."""

    def __init__(self, redis: Redis, counted: CollectorRegistry = REGISTRY) -> None:
        self._redis = redis
        self._counted = counted
        self._published = _collect_series(counted)  # what a parent counted before a fork is the parent's to add

    def fresh(self) -> Totals:
        """What has been counted here and is not in the totals yet."""
        now = _collect_series(self._counted)
        return {name: more for name, value in now.items() if (more := value - self._published.get(name, 0.0))}

    def add(self) -> Totals:
        """Add it to the totals, and say what it was. Raises RedisError; then it is tried again next time."""
        more = self.fresh()
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
    """The fleet's totals."""
    found: Any = redis.hgetall(redis_keys.METRICS)
    return {name.decode(): float(value) for name, value in found.items()}


def build_families(totals: Mapping[str, float]) -> Iterable[Metric]:
    """Every family this version counts, with its totals."""
    values = dict.fromkeys(_collect_series(REGISTRY), 0.0) | dict(totals)
    series = sorted((_parse_series_name(name) for name in values), key=_get_sort_key)
    for family in REGISTRY.collect():
        shown = Metric(family.name, family.documentation, family.type)
        for name, labels in series:
            if name.startswith(family.name) and name.removeprefix(family.name) in _SUFFIXES[family.type]:
                shown.add_sample(name, labels, values[_format_series_name(name, labels)])
        yield shown


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
    """Buckets of one histogram from small to large, as readers of the format expect."""
    name, labels = series
    others = sorted((key, value) for key, value in labels.items() if key != "le")
    return others, name, float(labels.get("le", 0))
