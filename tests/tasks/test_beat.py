"""Beat outlives whatever happens to its Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import redis
from redbeat.schedulers import acquire_distributed_beat_lock

from tasks.app import app
from tasks.beat import PatientScheduler
from tests.installation import Installation
from tests.pipeline.lanes.bench import unreachable

REDBEATS = ("redbeat_conf", "redbeat_redis")  # what it keeps on the app


@pytest.fixture(autouse=True)
def redbeat() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def beat(installed: Installation) -> PatientScheduler:
    return a_beat()


def forget() -> None:
    for name in REDBEATS:
        if hasattr(app, name):
            delattr(app, name)


def a_beat() -> PatientScheduler:
    scheduler = PatientScheduler(app=app, max_interval=1)
    acquire_distributed_beat_lock(SimpleNamespace(scheduler=scheduler))
    return scheduler


def until_a_sweep_is_sent(beat: PatientScheduler, server: redis.Redis) -> None:
    deadline = time.monotonic() + 60
    while not server.llen("cratewire:celery:hooks"):
        assert time.monotonic() < deadline
        beat.tick()
        time.sleep(0.05)


def test_beat_goes_on_when_redis_has_been_emptied(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.flushall()

    until_a_sweep_is_sent(beat, redis_client)


def test_beat_waits_while_redis_is_away(beat: PatientScheduler, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beat.lock, "redis", unreachable())
    monkeypatch.setattr(app, "redbeat_redis", unreachable())

    assert beat.tick() == beat.max_interval


def test_beat_waits_while_redis_takes_no_writes(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.config_set("maxmemory", 1)
    try:
        assert beat.tick() <= beat.max_interval
    finally:
        redis_client.config_set("maxmemory", 0)


def test_beat_stands_by_while_another_has_the_lock(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.set(app.redbeat_conf.lock_key, "another's", px=60_000)

    assert beat.tick() == beat.max_interval
    assert redis_client.get(app.redbeat_conf.lock_key) == b"another's"


def test_beat_ends_quietly_without_redis(beat: PatientScheduler, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beat.lock, "redis", unreachable())

    beat.close()
