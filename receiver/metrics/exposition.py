"""Writes the page Prometheus reads: the fleet's totals, and how things stand now.

Any web process can show the whole fleet's figures, because they are kept in Redis and in the ledger; only the spool and
the readiness are its own. If a source is away its figures are left out, and the page says so.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.item import AttentionItem
from pipeline.inbox.ingest import IngestStatus
from pipeline.infra.metrics.fleet import build_families
from pipeline.ledger.queries import Backlog, ChainStatus
from pipeline.monitoring.status import HookHealth
from receiver.metrics import collect as looks
from receiver.metrics.collect import Sample, StoreStates, build_gauge_families, collect_stores
from receiver.metrics.fleet_totals import FleetTotals


@dataclass(frozen=True, slots=True)
class MetricsSources:
    """Where figures come from. Those that go out of this process raise RedisError or SQLAlchemyError when they fail."""

    redis: Redis
    counts: FleetTotals
    backlog: Callable[[], Backlog]
    hearing: Callable[[], HookHealth]
    attention: Callable[[], Sequence[AttentionItem]]
    stores: Callable[[], StoreStates]
    get_status: Callable[[], IngestStatus | None]
    chain: Callable[[], ChainStatus]
    now: Callable[[], int]  # µs


class MetricsPage:
    """One reader at a time: whoever comes meanwhile gets the page before, so that a slow database costs one thread."""

    def __init__(self, sources: MetricsSources) -> None:
        self._sources = sources
        self._busy = threading.Lock()
        self._page = b""

    def page(self) -> bytes:
        """The page in Prometheus's text format."""
        if self._busy.acquire(blocking=not self._page):
            try:
                self._page = self._write()
            finally:
                self._busy.release()
        return self._page

    def _write(self) -> bytes:
        registry = CollectorRegistry()
        gauges = [*build_gauge_families(self._look())]  # first, since it looks the totals up too
        totals = self._sources.counts.now()
        registry.register(_StaticCollector([*(build_families(totals) if totals is not None else ()), *gauges]))
        return generate_latest(registry)

    def _look(self) -> Iterator[Sample]:
        ask, now = self._sources, self._sources.now()
        yield from looks.collect_attention(ask.attention())
        yield from looks.collect_process(ask.get_status(), ask.chain(), now)
        found: list[Backlog] = []
        try:
            found.append(ask.backlog())
            yield from [*looks.collect_ledger(found[0], now), *looks.collect_monitoring(ask.hearing(), now)]
            yield from [*collect_stores(ask.stores(), now)]
        except SQLAlchemyError:
            yield Sample("cratewire_source_up", 0, ("ledger",))
        else:
            yield Sample("cratewire_source_up", 1, ("ledger",))
        try:
            ask.counts.read()
            inbox = [
                *looks.collect_inbox(ask.redis, now),
                *looks.collect_rate_limits(ask.redis, found[0].connections if found else ()),
            ]
        except RedisError:
            yield Sample("cratewire_source_up", 0, ("redis",))
        else:
            yield from [*inbox, Sample("cratewire_source_up", 1, ("redis",))]


class _StaticCollector:
    """What prometheus_client asks for its families."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def blueprint(page: Callable[[], bytes], token: str) -> Blueprint:
    """The view. Prometheus shows the token as `Authorization: Bearer …`."""
    watch = Blueprint("watch", __name__)
    wanted = f"Bearer {token}".encode()

    @watch.get("/metrics")
    def metrics() -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
            return Response("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(page(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return watch
