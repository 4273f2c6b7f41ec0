"""A worker that is started when messages wait for it, and ends when none has come for a while."""

from __future__ import annotations

import redis
import structlog

from tasks.app import app
from tasks.config import BACKFILL, FULFILMENT, HOOKS
from tasks.worker.on_demand import IdleEnd, QueueWatch
from tests.installation import Installation
from tests.tasks.test_beat import broker_away

QUEUES = (BACKFILL, FULFILMENT)


class Woken:
    def __init__(self) -> None:
        self.times = 0
        self.watch = QueueWatch(app, QUEUES, self.wake)

    def wake(self) -> None:
        self.times += 1


def test_nothing_is_woken_while_only_other_queues_have_messages(installed: Installation, redis_client: redis.Redis):
    woken = Woken()
    redis_client.lpush(f"cratewire:celery:{HOOKS}", "a message")

    woken.watch.look()

    assert woken.times == 0


def test_it_is_woken_as_long_as_a_message_waits_in_one_of_its_queues(
    installed: Installation, redis_client: redis.Redis
):
    woken = Woken()
    redis_client.lpush(f"cratewire:celery:{FULFILMENT}", "a message")

    woken.watch.look()
    woken.watch.look()
    redis_client.flushall()
    woken.watch.look()

    assert woken.times == 2


def test_a_broker_that_was_away_is_asked_again(installed: Installation, redis_client: redis.Redis):
    woken = Woken()
    redis_client.lpush(f"cratewire:celery:{BACKFILL}", "a message")
    with structlog.testing.capture_logs() as lines, broker_away(installed):
        woken.watch.look()
    before = woken.times

    woken.watch.look()

    assert (before, woken.times) == (0, 1)
    assert [line["event"] for line in lines] == ["broker unavailable to the queue watch"]


class Idle:
    """A worker, how many messages it has taken, and a clock."""

    def __init__(self) -> None:
        self.taken, self.is_busy, self.clock = 0, False, 0.0
        self.end = IdleEnd(lambda: self.taken, lambda: self.is_busy, 60, lambda: self.clock)

    def is_due_at(self, seconds: float) -> bool:
        self.clock = seconds
        return self.end.is_due()


def test_a_worker_ends_when_it_was_idle_for_long_enough():
    idle = Idle()

    assert [idle.is_due_at(at) for at in (0, 59, 60)] == [False, False, True]


def test_a_message_that_was_taken_meanwhile_begins_the_time_anew():
    idle = Idle()
    idle.is_due_at(0)
    idle.taken = 1

    assert [idle.is_due_at(at) for at in (30, 89, 90)] == [False, False, True]


def test_a_worker_does_not_end_while_a_task_runs():
    idle = Idle()
    idle.is_busy = True

    assert [idle.is_due_at(at) for at in (0, 1000)] == [False, False]
