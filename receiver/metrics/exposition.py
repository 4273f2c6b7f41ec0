"""The `/metrics` endpoint in Prometheus's text format: the fleet's totals and the current gauges.

Any web process shows the figures of the whole fleet, since they are in Redis and in the ledger; only the spool and
the readiness are its own. If a source is unavailable, its figures are left out and `cratewire_source_up` is 0.
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
from receiver.metrics import collect
from receiver.metrics.collect import Sample, StoreStates, build_gauge_families, collect_stores
from receiver.metrics.fleet_totals import FleetTotals


@dataclass(frozen=True, slots=True)
class MetricsSources:
    """The sources of the figures. Those outside this process may raise RedisError or SQLAlchemyError."""

    redis: Redis
    totals: FleetTotals
    backlog: Callable[[], Backlog]
    hook_health: Callable[[], HookHealth]
    attention: Callable[[], Sequence[AttentionItem]]
    stores: Callable[[], StoreStates]
    get_status: Callable[[], IngestStatus | None]
    chain: Callable[[], ChainStatus]
    now: Callable[[], int]  # µs


class MetricsPage:
    """Renders the page for one request at a time; others get the last page: a slow database blocks one thread."""

    def __init__(self, sources: MetricsSources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._last_page = b""

    def render(self) -> bytes:
        """Return the page in Prometheus's text format."""
        if self._lock.acquire(blocking=not self._last_page):
            try:
                self._last_page = self._render()
            finally:
                self._lock.release()
        return self._last_page

    def _render(self) -> bytes:
        registry = CollectorRegistry()
        gauges = [*build_gauge_families(self._collect_samples())]  # first, since it refreshes the totals too
        totals = self._sources.totals.get_current()
        registry.register(_StaticCollector([*(build_families(totals) if totals is not None else ()), *gauges]))
        return generate_latest(registry)

    def _collect_samples(self) -> Iterator[Sample]:
        sources, now = self._sources, self._sources.now()
        yield from collect.collect_attention(sources.attention())
        yield from collect.collect_process(sources.get_status(), sources.chain(), now)
        found: list[Backlog] = []
        try:
            found.append(sources.backlog())
            yield from [*collect.collect_ledger(found[0], now), *collect.collect_monitoring(sources.hook_health(), now)]
            yield from [*collect_stores(sources.stores(), now)]
        except SQLAlchemyError:
            yield Sample("cratewire_source_up", 0, ("ledger",))
        else:
            yield Sample("cratewire_source_up", 1, ("ledger",))
        try:
            sources.totals.refresh()
            inbox = [
                *collect.collect_inbox(sources.redis, now),
                *collect.collect_rate_limits(sources.redis, found[0].connections if found else ()),
            ]
        except RedisError:
            yield Sample("cratewire_source_up", 0, ("redis",))
        else:
            yield from [*inbox, Sample("cratewire_source_up", 1, ("redis",))]


class _StaticCollector:
    """The collector that prometheus_client expects: returns metrics that were built before."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def blueprint(render: Callable[[], bytes], token: str) -> Blueprint:
    """Build the view. Prometheus sends the token as `Authorization: Bearer …`.

    Needed from every client: behind a reverse proxy all clients look local, and the figures are confidential.
    """
    watch = Blueprint("watch", __name__)
    wanted = f"Bearer {token}".encode()

    @watch.get("/metrics")
    def metrics() -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
            return Response("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(render(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return watch
