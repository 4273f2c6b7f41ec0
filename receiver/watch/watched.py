"""Puts the parts together that watch: the pulse, and the page with the figures. Opens nothing before they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from pipeline import keys
from pipeline.attention.item import Sources as AttentionSources
from pipeline.attention.listing import attention
from pipeline.inbox.client import connect
from pipeline.inbox.heartbeat import heartbeat
from pipeline.inbox.turned_away import Tally
from pipeline.inbox.writer import Writer
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.reading import MISSED, Arrival, Backlog, backlog, last_arrival
from pipeline.settings import Settings
from pipeline.silence.hearing import Hearing, hearing
from receiver.watch.counts import Counts
from receiver.watch.instead import Instead, look_instead
from receiver.watch.pulse import TICK, Organs, Pulse
from receiver.watch.scrape import Scrape, Sources
from receiver.watch.stores import Stores, stores


@dataclass(frozen=True, slots=True)
class Watch:
    """What the web application shows of itself and of the fleet."""

    pulse: Pulse
    scrape: Scrape
    token: str
    instead: Instead


def watch(settings: Settings, writer: Writer, tally: Tally, now: Callable[[], int]) -> Watch:
    """For the process that serves."""
    redis, engine = connect(settings.redis_url, settings.redis_timeout), make_engine(settings.database_url)
    counts = Counts(redis)
    began = _Began(redis, settings.heartbeat_seconds, now())

    def share() -> None:
        began.tell()
        counts.share()
        tally.share(redis)

    organs = Organs(send=lambda: writer.offer(heartbeat(now())), look=lambda: _arrival(engine), share=share)
    pulse = Pulse(organs, settings.heartbeat_seconds, now)
    by_itself = settings.reconcile_seconds > 0
    sources = Sources(
        redis,
        counts,
        backlog=lambda: _backlog(engine),
        hearing=lambda: _hearing(engine, now()),
        attention=lambda: attention(AttentionSources(engine, redis, settings, now())),
        stores=lambda: _stores(engine, now(), by_itself=by_itself),
        condition=writer.condition,
        chain=pulse.chain,
        now=now,
    )
    instead = Instead(lambda: look_instead(settings, engine, redis, now))
    return Watch(pulse, Scrape(sources), settings.metrics_token, instead)


class _Began:
    """Tells `cratewire status` since when heartbeats are sent, as long as somebody sends them."""

    def __init__(self, redis: Redis, every: float, at: int) -> None:
        self._redis = redis
        self._at = at
        self._ttl_ms = round((MISSED * every + 2 * TICK) * 1000)
        self._wanted = bool(every)

    def tell(self) -> None:
        if self._wanted:
            self._redis.set(keys.PULSE, self._at, px=self._ttl_ms, nx=True)
            self._redis.pexpire(keys.PULSE, self._ttl_ms)


def _arrival(engine: Engine) -> Arrival | None:
    with reading(engine) as db:
        return last_arrival(db)


def _hearing(engine: Engine, now: int) -> Hearing:
    with reading(engine) as db:
        return hearing(db, now)


def _stores(engine: Engine, now: int, *, by_itself: bool) -> Stores:
    with reading(engine) as db:
        return stores(db, now, by_itself=by_itself)


def _backlog(engine: Engine) -> Backlog:
    with reading(engine) as db:
        return backlog(db)
