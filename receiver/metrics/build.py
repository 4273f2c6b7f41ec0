"""Builds the monitoring of the web process: heartbeats, metrics page and fallback sweep. Opens no connection yet."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline.attention.listing import find_attention_items
from pipeline.context import build_context
from pipeline.inbox.batch_writer import BatchWriter
from pipeline.inbox.client import connect
from pipeline.inbox.entry import build_heartbeat
from pipeline.inbox.rejections import RejectionCounter
from pipeline.infra import redis_keys
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.queries import MAX_MISSED_HEARTBEATS, Backlog, HeartbeatArrival, find_last_heartbeat, load_backlog
from pipeline.monitoring.status import HookHealth, get_hook_health
from pipeline.settings import Settings
from receiver.metrics.collect import StoreStates, load_store_states
from receiver.metrics.exposition import MetricsPage, MetricsSources
from receiver.metrics.fallback_sweep import FallbackSweepThread, run_fallback_sweep
from receiver.metrics.fleet_totals import FleetTotals
from receiver.metrics.heartbeat import POLL_INTERVAL_S, HeartbeatDeps, HeartbeatThread


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The monitoring components of a web process."""

    heartbeat: HeartbeatThread
    metrics_page: MetricsPage
    token: str
    fallback_sweep: FallbackSweepThread


def build_monitoring(settings: Settings, writer: BatchWriter, tally: RejectionCounter) -> Monitoring:
    """Build the monitoring for the web process."""
    redis, engine = connect(settings.redis_url, settings.redis_timeout), make_engine(settings.database_url)
    context = build_context(settings, engine, redis)
    now = context.now
    totals = FleetTotals(redis)
    heartbeat_start = _HeartbeatStart(redis, settings.heartbeat_seconds, now())

    def share_counts() -> None:
        heartbeat_start.renew()
        totals.publish()
        tally.flush(redis)

    deps = HeartbeatDeps(
        send_heartbeat=lambda: writer.submit(build_heartbeat(now())),
        load_arrival=lambda: _load_arrival(engine),
        share_counts=share_counts,
    )
    heartbeat = HeartbeatThread(deps, settings.heartbeat_seconds, now)
    is_scheduled = settings.reconcile_seconds > 0
    sources = MetricsSources(
        redis,
        totals,
        backlog=lambda: _load_backlog(engine),
        hook_health=lambda: _load_hook_health(engine, now()),
        attention=lambda: find_attention_items(context),
        stores=lambda: _load_stores(engine, now(), is_scheduled=is_scheduled),
        get_status=writer.get_status,
        chain=heartbeat.chain,
        now=now,
    )
    fallback_sweep = FallbackSweepThread(lambda: run_fallback_sweep(context))
    return Monitoring(heartbeat, MetricsPage(sources), settings.metrics_token, fallback_sweep)


class _HeartbeatStart:
    """Keeps in Redis since when heartbeats are sent, for `cratewire status`. Expires when no process sends any."""

    def __init__(self, redis: Redis, interval_s: float, at: int) -> None:
        self._redis = redis
        self._at = at
        self._ttl_ms = round((MAX_MISSED_HEARTBEATS * interval_s + 2 * POLL_INTERVAL_S) * 1000)
        self._is_enabled = bool(interval_s)

    def renew(self) -> None:
        if self._is_enabled:
            self._redis.set(redis_keys.HEARTBEAT_STARTED, self._at, px=self._ttl_ms, nx=True)
            self._redis.pexpire(redis_keys.HEARTBEAT_STARTED, self._ttl_ms)


def _load_arrival(engine: Engine) -> HeartbeatArrival | None:
    with reading(engine) as conn:
        return find_last_heartbeat(conn)


def _load_hook_health(engine: Engine, now: int) -> HookHealth:
    with reading(engine) as conn:
        return get_hook_health(conn, now)


def _load_stores(engine: Engine, now: int, *, is_scheduled: bool) -> StoreStates:
    with reading(engine) as conn:
        return load_store_states(conn, now, is_scheduled=is_scheduled)


def _load_backlog(engine: Engine) -> Backlog:
    with reading(engine) as conn:
        return load_backlog(conn)
