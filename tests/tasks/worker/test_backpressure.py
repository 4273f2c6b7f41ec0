"""While no worker consumes, few messages are added, so that a weekend without a worker fills no broker."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pipeline.infra import redis_keys
from tasks import process
from tasks.app import app
from tasks.chain import start_chain
from tasks.config import DELIVERIES, HOOKS, celery_config
from tasks.worker.backpressure import MAX_WAITING_MESSAGES, is_stalled
from tests.installation import Installation
from tests.pipeline.delivery.lane_setup import unreachable_redis
from tests.tasks.inline_worker import fill_queue, take_message


def begin_one() -> None:
    start_chain()
    message = take_message(HOOKS)
    assert message is not None
    message.work()


def test_a_queue_is_stalled_if_many_messages_wait_and_none_was_taken_recently():
    fill_queue(HOOKS)

    assert is_stalled(app, HOOKS)


def test_each_queue_is_looked_at_by_itself():
    fill_queue(HOOKS)

    assert not is_stalled(app, DELIVERIES)


def test_an_emptied_broker_is_given_messages_at_once(installed: Installation):
    fill_queue(HOOKS)
    installed.process.redis.flushall()

    assert not is_stalled(app, HOOKS)


def test_a_long_queue_from_which_a_task_has_begun_is_only_busy():
    begin_one()
    fill_queue(HOOKS)

    assert not is_stalled(app, HOOKS)


def test_that_a_task_has_begun_is_soon_forgotten(installed: Installation):
    begin_one()

    assert 0 < installed.process.redis.ttl(redis_keys.queue_activity(HOOKS)) <= 15


def test_while_redis_is_away_nothing_is_held_back(installed: Installation):
    fill_queue(HOOKS)
    process._contexts[os.getpid()] = replace(installed.process, redis=unreachable_redis())

    assert not is_stalled(app, HOOKS)


@pytest.mark.parametrize("away", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"])
def test_while_the_broker_is_away_nothing_is_held_back(installed: Installation, away: str):
    app.conf.update(celery_config(replace(installed.process.settings, broker_url=away)))
    app._after_fork()

    assert not is_stalled(app, HOOKS)


def test_chain_runs_do_not_pile_up_while_no_worker_runs(installed: Installation):
    for _ in range(2 * MAX_WAITING_MESSAGES):
        start_chain()

    assert installed.process.redis.llen("cratewire:celery:hooks") == MAX_WAITING_MESSAGES
