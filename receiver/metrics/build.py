"""Puts the parts together that watch: the pulse, and the page with the figures. Opens nothing before they are used."""

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
    """What the web application shows of itself and of the fleet."""

    heartbeat: HeartbeatThread
    metrics_page: MetricsPage
    token: str
    fallback_sweep: FallbackSweepThread


def build_monitoring(settings: Settings, writer: BatchWriter, tally: RejectionCounter) -> Monitoring:
    """For the process that serves."""
    redis, engine = connect(settings.redis_url, settings.redis_timeout), make_engine(settings.database_url)
    context = build_context(settings, engine, redis)
    now = context.now
    counts = FleetTotals(redis)
    began = _HeartbeatStart(redis, settings.heartbeat_seconds, now())

    def share() -> None:
        began.tell()
        counts.share()
        tally.flush(redis)

    organs = HeartbeatDeps(
        send=lambda: writer.submit(build_heartbeat(now())), look=lambda: _load_arrival(engine), share=share
    )
    pulse = HeartbeatThread(organs, settings.heartbeat_seconds, now)
    by_itself = settings.reconcile_seconds > 0
    sources = MetricsSources(
        redis,
        counts,
        backlog=lambda: _load_backlog(engine),
        hearing=lambda: _load_hook_health(engine, now()),
        attention=lambda: find_attention_items(context),
        stores=lambda: _load_stores(engine, now(), is_scheduled=by_itself),
        get_status=writer.get_status,
        chain=pulse.chain,
        now=now,
    )
    instead = FallbackSweepThread(lambda: run_fallback_sweep(context))
    return Monitoring(pulse, MetricsPage(sources), settings.metrics_token, instead)


class _HeartbeatStart:
    """Tells `cratewire status` since when heartbeats are sent, as long as somebody sends them."""

    def __init__(self, redis: Redis, every: float, at: int) -> None:
        self._redis = redis
        self._at = at
        self._ttl_ms = round((MAX_MISSED_HEARTBEATS * every + 2 * POLL_INTERVAL_S) * 1000)
        self._wanted = bool(every)

    def tell(self) -> None:
        if self._wanted:
            self._redis.set(redis_keys.HEARTBEAT_STARTED, self._at, px=self._ttl_ms, nx=True)
            self._redis.pexpire(redis_keys.HEARTBEAT_STARTED, self._ttl_ms)


def _load_arrival(engine: Engine) -> HeartbeatArrival | None:
    with reading(engine) as db:
        return find_last_heartbeat(db)


def _load_hook_health(engine: Engine, now: int) -> HookHealth:
    with reading(engine) as db:
        return get_hook_health(db, now)


def _load_stores(engine: Engine, now: int, *, is_scheduled: bool) -> StoreStates:
    with reading(engine) as db:
        return load_store_states(db, now, is_scheduled=is_scheduled)


def _load_backlog(engine: Engine) -> Backlog:
    with reading(engine) as db:
        return load_backlog(db)
