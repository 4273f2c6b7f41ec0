"""When a worker counts as stalled, and that a real one exits then."""

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

ROOT = Path(__file__).parents[3]
IDLE, BUSY = 20.0, 180.0


class Watched:
    """The snapshots of a worker, and a clock."""

    def __init__(self):
        self.time = 1000.0
        self.detector = StallDetector(lambda: self.time, IDLE, BUSY)

    def after(self, seconds, snapshot):
        self.time += seconds
        return self.detector.is_stalled(snapshot)

    def sees(self, snapshot, seconds, every=2.0):
        """Return whether the worker ever counted as stalled while this was seen for so long."""
        return any(self.after(every, snapshot) for _ in range(round(seconds / every)))


def waiting(taken=5, *, is_busy=False, messages=3):
    return QueueSnapshot({"hooks": messages}, {"hooks": taken}, is_busy)


def test_a_worker_that_takes_no_message_although_some_wait_is_stalled():
    assert Watched().sees(waiting(), IDLE + 6)


def test_a_worker_has_time_to_start():
    assert not Watched().sees(waiting(), IDLE - 2)


def test_without_waiting_messages_a_worker_is_not_stalled():
    assert not Watched().sees(waiting(messages=0), 1000)


def test_a_worker_that_takes_messages_is_not_stalled_however_many_wait():
    watched = Watched()

    assert not any(watched.after(2, waiting(taken=number)) for number in range(500))


def test_a_worker_that_consumes_only_one_of_two_queues_is_stalled():
    watched = Watched()
    snapshots = (
        QueueSnapshot({"hooks": 3, "deliveries": 1}, {"deliveries": number}, is_busy=False) for number in range(30)
    )

    assert any(watched.after(2, snapshot) for snapshot in snapshots)


def test_a_busy_worker_may_leave_messages_until_the_hard_time_limit():
    assert not Watched().sees(waiting(is_busy=True), BUSY - 4)
    assert Watched().sees(waiting(is_busy=True), BUSY + 6)


def test_while_the_broker_is_unavailable_no_worker_is_stalled():
    watched = Watched()
    watched.sees(waiting(), IDLE - 4)
    watched.sees(None, 600)

    assert not watched.sees(waiting(), IDLE - 4)


def test_an_empty_queue_in_between_restarts_the_time():
    watched = Watched()
    watched.sees(waiting(), IDLE - 4)
    watched.after(2, waiting(messages=0))

    assert not watched.sees(waiting(), IDLE - 4)


# Celery's own program, with a watchdog that exits sooner.
PROGRAM = """
import sys
from celery.__main__ import main
from tasks.worker import watchdog
watchdog.IDLE_LIMIT_S, watchdog.CHECK_INTERVAL_S = 3.0, 0.5
sys.argv = "celery -A tasks.app worker -Q hooks,deliveries -n stalled@host -c 1 -l WARNING".split()
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_worker_that_stops_consuming_exits_and_its_successor_does_the_work(installed, tmp_path):
    redis = installed.process.redis
    with started(installed, tmp_path / "first.log") as worker:
        wait_until(lambda: app.control.ping(["stalled@host"], timeout=1))
        app.control.cancel_consumer("hooks", destination=["stalled@host"], reply=True, timeout=30)
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
