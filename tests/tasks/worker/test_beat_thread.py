"""Beat as a thread of a worker: it is started again after an error, and stops with the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import redis
import structlog

from tasks.app import app
from tasks.worker.beat_thread import BeatThread, make_service
from tests.installation import Installation
from tests.tasks.test_beat import redbeat as redbeat  # noqa: PLC0414  a fixture
from tests.waiting import wait_until


class FakeService:
    """What Celery's beat is for the thread: it runs until it is stopped, or ends at once with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.stopped, self.ran = threading.Event(), threading.Event()
        self._error = error

    def start(self) -> None:
        self.ran.set()
        if self._error:
            raise self._error
        self.stopped.wait()

    def stop(self) -> None:
        self.stopped.set()


def make_each(services: list[FakeService]) -> Callable[[], Any]:
    left = iter(services)
    return lambda: next(left)


def test_an_error_is_logged_without_its_text_and_beat_starts_again():
    services = [FakeService(ValueError("a secret")), FakeService()]
    beat = BeatThread(make_each(services), restart_delay_s=0)

    with structlog.testing.capture_logs() as lines:
        beat.start()
        assert services[1].ran.wait(30)
        beat.wait()

    assert [(line["event"], line["error"]) for line in lines] == [("beat ended, starting it again", "ValueError")]


def test_a_thread_that_is_started_twice_runs_one_beat():
    services = [FakeService()]
    beat = BeatThread(make_each(services))

    beat.start()
    beat.start()
    beat.wait()

    assert services[0].stopped.is_set()


def test_a_stopped_thread_does_not_start():
    service = FakeService()
    beat = BeatThread(make_each([service]))
    beat.stop()

    beat.start()
    beat.wait()

    assert not service.ran.is_set()


def test_beat_sends_and_releases_its_lock_when_it_stops(installed: Installation, redis_client: redis.Redis):
    beat = BeatThread(partial(make_service, app))

    beat.start()
    wait_until(lambda: redis_client.llen("cratewire:celery:deliveries"))
    beat.wait()

    assert not redis_client.exists(app.redbeat_conf.lock_key)
