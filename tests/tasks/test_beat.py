"""Beat survives any trouble of its Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import structlog
from celery.beat import SchedulingError
from celery.schedules import schedule
from redbeat.schedulers import RedBeatSchedulerEntry, acquire_distributed_beat_lock

from pipeline.infra import redis_keys
from pipeline.settings import Settings
from tasks.app import app
from tasks.beat import PatientScheduler
from tasks.config import DELIVERIES, HOOKS, celery_config
from tasks.worker.backpressure import MAX_WAITING_MESSAGES
from tests.installation import Installation
from tests.pipeline.delivery.lane_setup import unreachable_redis
from tests.tasks.inline_worker import fill_queue, take_all_messages
from tests.waiting import wait_until

REDBEATS = ("redbeat_conf", "redbeat_redis")  # what it keeps on the app


@pytest.fixture(autouse=True)
def redbeat() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def beat(installed: Installation) -> PatientScheduler:
    return a_beat()


@pytest.fixture
def all_the_time(beat: PatientScheduler) -> PatientScheduler:
    """Every task is due at each tick."""
    for entry in app.conf.beat_schedule.values():
        entry["schedule"] = 0.0
    beat.setup_schedule()
    return beat


def forget() -> None:
    for name in REDBEATS:
        if hasattr(app, name):
            delattr(app, name)


def a_beat() -> PatientScheduler:
    scheduler = PatientScheduler(app=app, max_interval=1)
    acquire_distributed_beat_lock(SimpleNamespace(scheduler=scheduler))
    return scheduler


def a_sweep(every: float = 1.0, **changes: Any) -> RedBeatSchedulerEntry:
    """One of the schedule, as beat finds it when it is due."""
    return RedBeatSchedulerEntry("sweep", "hooks.sweep", schedule(every), app=app, options={"queue": HOOKS}, **changes)


@contextmanager
def broker_away(installed: Installation) -> Iterator[None]:
    """Nothing listens where Celery's broker should be; Redis is there."""
    bind(replace(installed.process.settings, broker_url="redis://127.0.0.1:1/0"))
    yield
    bind(installed.process.settings)


def bind(settings: Settings) -> None:
    app.conf.update(celery_config(settings))
    app._after_fork()


def count_sent(beat: PatientScheduler, server: redis.Redis) -> int:
    """Let beat tick until it has sent something; the number of messages."""
    return wait_until(lambda: int(server.llen("cratewire:celery:deliveries")), meanwhile=beat.tick)


def test_beat_goes_on_when_redis_has_been_emptied(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.flushall()

    assert count_sent(beat, redis_client) > 0


def test_beat_waits_while_redis_is_away(beat: PatientScheduler, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beat.lock, "redis", unreachable_redis())
    monkeypatch.setattr(app, "redbeat_redis", unreachable_redis())

    assert beat.tick() == beat.max_interval


def test_an_unavailable_redis_is_logged_once_and_when_it_is_back(
    beat: PatientScheduler, monkeypatch: pytest.MonkeyPatch
):
    with structlog.testing.capture_logs() as lines:
        with monkeypatch.context() as away:
            away.setattr(beat.lock, "redis", unreachable_redis())
            beat.tick()
            beat.tick()
        beat.apply_async(a_sweep())

    assert [line["event"] for line in lines] == ["beat cannot send periodic tasks", "beat sends periodic tasks again"]


def test_beat_that_begins_while_redis_is_away_sends_when_it_is_back(
    installed: Installation, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as away:
        away.setattr(app, "redbeat_redis", unreachable_redis(), raising=False)
        beat = PatientScheduler(app=app, max_interval=1)

    assert count_sent(beat, redis_client) > 0


def test_beat_waits_while_redis_takes_no_writes(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.config_set("maxmemory", 1)
    try:
        assert beat.tick() <= beat.max_interval
    finally:
        redis_client.config_set("maxmemory", 0)


def test_an_unavailable_broker_is_logged_once_and_when_it_is_back(beat: PatientScheduler, installed: Installation):
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            with broker_away(installed):
                beat.apply_async(a_sweep())
                beat.apply_async(a_sweep())
            beat.apply_async(a_sweep())

    assert [line["event"] for line in lines] == [
        "beat cannot send periodic tasks",
        "beat sends periodic tasks again",
    ] * 2


def test_a_full_redis_is_logged_once(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.config_set("maxmemory", 1)
    try:
        with structlog.testing.capture_logs() as lines:
            beat.apply_async(a_sweep())
            beat.apply_async(a_sweep())
    finally:
        redis_client.config_set("maxmemory", 0)

    assert [line["error"] for line in lines] == ["OutOfMemoryError"]


def test_a_sweep_that_cannot_be_sent_for_another_reason_is_an_error(beat: PatientScheduler):
    with pytest.raises(SchedulingError):
        beat.apply_async(a_sweep(kwargs={"no": object()}))


def test_beat_stands_by_while_another_has_the_lock(beat: PatientScheduler, redis_client: redis.Redis):
    redis_client.set(app.redbeat_conf.lock_key, "another's", px=60_000)

    assert beat.tick() == beat.max_interval
    assert redis_client.get(app.redbeat_conf.lock_key) == b"another's"


def test_beat_ends_quietly_without_redis(beat: PatientScheduler, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beat.lock, "redis", unreachable_redis())

    with structlog.testing.capture_logs() as lines:
        beat.close()

    assert lines == []


def test_sweeps_do_not_pile_up_while_no_worker_runs(redis_client: redis.Redis, all_the_time: PatientScheduler):
    for _ in range(2 * MAX_WAITING_MESSAGES):
        all_the_time.tick()

    assert all(redis_client.llen(f"cratewire:celery:{queue}") <= MAX_WAITING_MESSAGES for queue in (HOOKS, DELIVERIES))


def test_what_was_held_back_is_sent_as_soon_as_messages_are_taken(beat: PatientScheduler, redis_client: redis.Redis):
    fill_queue(HOOKS)
    a_sweep(every=3_600.0, last_run_at=datetime(2026, 1, 1, tzinfo=UTC)).save()
    beat.tick()
    redis_client.set(redis_keys.queue_activity(HOOKS), 1)
    beat.tick()

    assert [message.task for message in take_all_messages(HOOKS)][MAX_WAITING_MESSAGES:] == ["hooks.sweep"]


def test_pausing_and_resuming_a_queue_is_logged_once_each(beat: PatientScheduler, redis_client: redis.Redis):
    fill_queue(HOOKS)
    with structlog.testing.capture_logs() as lines:
        beat.apply_async(a_sweep())
        beat.apply_async(a_sweep())
        redis_client.delete("cratewire:celery:hooks")
        beat.apply_async(a_sweep())

    assert [(line["event"], line["queue"]) for line in lines] == [
        ("no consumer on queue, periodic tasks paused", HOOKS),
        ("queue consumed again, periodic tasks resumed", HOOKS),
    ]


def test_a_task_that_a_clock_set_back_left_an_hour_ahead_is_sent_now(beat: PatientScheduler, redis_client: redis.Redis):
    hour_ahead = datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=1)
    for name in app.conf.beat_schedule:
        beat.Entry.from_key(beat.Entry.generate_key(app, name), app=app).reschedule(hour_ahead)
    beat.tick()

    assert {message.task for message in take_all_messages(DELIVERIES)} == set(app.conf.beat_schedule)
    for name, row in app.conf.beat_schedule.items():
        key = beat.Entry.generate_key(app, name)
        assert redis_client.zscore(app.redbeat_conf.schedule_key, key) <= time.time() + row["schedule"] + 1


def test_a_task_that_is_due_within_its_interval_is_not_rescheduled(beat: PatientScheduler):
    daily = beat.Entry.from_key(beat.Entry.generate_key(app, "mails.tidy"), app=app)
    daily.reschedule(datetime.fromtimestamp(time.time(), UTC))
    before = daily.score
    beat.tick()

    assert beat.Entry.from_key(daily.key, app=app).score == pytest.approx(before, abs=0.01)


def test_the_lock_of_a_beat_that_is_gone_does_not_outlive_its_time(installed: Installation, redis_client: redis.Redis):
    redis_client.set("cratewire:redbeat::lock", "of a beat that is gone", ex=3_600)
    PatientScheduler(app=app, max_interval=1)

    assert redis_client.ttl("cratewire:redbeat::lock") <= 6
