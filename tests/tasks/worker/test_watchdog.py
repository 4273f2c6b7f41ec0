"""When a worker counts as deaf, and that a real one that is ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.infra.metrics.fleet import get_totals
from tasks.app import app
from tasks.worker.watchdog import EXIT_CODE, QueueSnapshot, StallDetector
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
IDLE, BUSY = 20.0, 180.0


class Watched:
    """A worker as the watchdog sees it, and a clock."""

    def __init__(self):
        self.time = 1000.0
        self.deafness = StallDetector(lambda: self.time, IDLE, BUSY)

    def after(self, seconds, look):
        self.time += seconds
        return self.deafness.judge(look)

    def sees(self, look, seconds, every=2.0):
        """Whether it was ever judged deaf while this was seen for so long."""
        return any(self.after(every, look) for _ in range(round(seconds / every)))


def waiting(taken=5, *, busy=False, messages=3):
    return QueueSnapshot({"hooks": messages}, {"hooks": taken}, busy)


def test_a_worker_that_takes_nothing_though_messages_wait_is_deaf():
    assert Watched().sees(waiting(), IDLE + 6)


def test_it_has_time_to_begin():
    assert not Watched().sees(waiting(), IDLE - 2)


def test_without_messages_silence_is_no_fault():
    assert not Watched().sees(waiting(messages=0), 1000)


def test_one_that_takes_messages_is_not_deaf_however_many_wait():
    watched = Watched()

    assert not any(watched.after(2, waiting(taken=number)) for number in range(500))


def test_one_that_hears_one_queue_and_not_the_other_is_deaf():
    watched = Watched()
    looks = (QueueSnapshot({"hooks": 3, "deliveries": 1}, {"deliveries": number}, busy=False) for number in range(30))

    assert any(watched.after(2, look) for look in looks)


def test_one_at_work_may_leave_messages_until_the_hard_time_limit():
    assert not Watched().sees(waiting(busy=True), BUSY - 4)
    assert Watched().sees(waiting(busy=True), BUSY + 6)


def test_while_the_broker_cannot_be_asked_nobody_is_deaf():
    watched = Watched()
    watched.sees(waiting(), IDLE - 4)
    watched.sees(None, 600)

    assert not watched.sees(waiting(), IDLE - 4)


def test_an_empty_queue_in_between_starts_the_count_anew():
    watched = Watched()
    watched.sees(waiting(), IDLE - 4)
    watched.after(2, waiting(messages=0))

    assert not watched.sees(waiting(), IDLE - 4)


# Celery's own program, with a watchdog that loses its patience sooner.
PROGRAM = """
import sys
from celery.__main__ import main
from tasks.worker import watchdog
watchdog.IDLE_LIMIT_S, watchdog.CHECK_INTERVAL_S = 3.0, 0.5
sys.argv = "celery -A tasks.app worker -Q hooks,deliveries -n deaf@here -c 1 -l WARNING".split()
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_worker_that_has_lost_its_ear_ends_and_the_next_one_takes_up_its_work(installed, tmp_path):
    redis = installed.process.redis
    with started(installed, tmp_path / "first.log") as worker:
        wait_until(lambda: app.control.ping(["deaf@here"], timeout=1))
        app.control.cancel_consumer("hooks", destination=["deaf@here"], reply=True, timeout=30)
        sweep()
        code = ended(worker, lambda: app.send_task("deliveries.sweep", queue="deliveries"))

    assert code == EXIT_CODE, (tmp_path / "first.log").read_text()
    assert get_totals(redis)[json.dumps(["cratewire_deaf_workers_total", {}], separators=(",", ":"))] == 1
    assert redis.exists(f"{PREFIX}hooks")

    with started(installed, tmp_path / "second.log"):
        wait_until(lambda: not redis.exists(f"{PREFIX}hooks"))


PREFIX = "cratewire:celery:"


@contextmanager
def started(installed, path):
    """A worker of that program, which ends with the block."""
    command = [sys.executable, "-c", PROGRAM]
    with path.open("wb") as log:
        worker = subprocess.Popen(
            command, env=installed.environment, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
        )
    try:
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def sweep():
    app.send_task("hooks.sweep", queue="hooks")


def ended(worker, meanwhile):
    """Its exit code; something else happens meanwhile, again and again."""
    wait_until(lambda: worker.poll() is not None, meanwhile=meanwhile, interval_s=0.3)
    return worker.poll()
