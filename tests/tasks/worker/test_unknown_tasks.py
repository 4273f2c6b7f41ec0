"""Two versions side by side: messages that one does not know are held for the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Message

from pipeline.infra import redis_keys
from tasks.app import app
from tasks.config import HOOKS
from tasks.worker import unknown_tasks
from tests.installation import Installation
from tests.pipeline.delivery.lane_setup import unreachable_redis
from tests.servers.worker import worker
from tests.waiting import wait_until

NAME = "hooks.of_the_next_version"
SECRET = "zoe@example.com"


@pytest.fixture
def message() -> Iterator[Message]:
    """A message of an unknown task, taken from its queue."""
    app.send_task(NAME, ({"email": SECRET},), queue=HOOKS)
    with app.connection_for_read() as connection:
        taken = app.amqp.queues[HOOKS](connection.default_channel).get()
        yield taken
        taken.ack()


def the_next() -> Message:
    with app.connection_for_read() as connection:
        return app.amqp.queues[HOOKS](connection.default_channel).get(no_ack=True)


def test_a_held_message_is_resent_unchanged_once_its_task_is_known(message: Message, redis_client: redis.Redis):
    assert unknown_tasks.hold(redis_client, message)

    assert unknown_tasks.resend(redis_client, app, {NAME}) == 1

    again = the_next()
    assert again.payload == message.payload
    assert again.headers["id"] == message.headers["id"]


def test_a_held_message_stays_while_its_task_is_unknown(message: Message, redis_client: redis.Redis):
    unknown_tasks.hold(redis_client, message)

    assert unknown_tasks.resend(redis_client, app, set(app.tasks)) == 0
    assert redis_client.llen(redis_keys.HELD_MESSAGES) == 1


def test_holding_a_message_without_redis_returns_false(message: Message):
    assert not unknown_tasks.hold(unreachable_redis(), message)


def test_the_number_of_held_messages_is_limited(
    message: Message, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(unknown_tasks, "MAX_HELD_MESSAGES", 3)

    for _ in range(5):
        unknown_tasks.hold(redis_client, message)

    assert redis_client.llen(redis_keys.HELD_MESSAGES) == 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_parks_what_it_does_not_know_and_says_nothing_of_its_content(
    installed: Installation, tmp_path: Path, redis_client: redis.Redis
):
    app.send_task(NAME, ({"email": SECRET},), queue=HOOKS)

    with worker(installed.environment, tmp_path / "worker.log", concurrency=1) as running:
        wait_until(lambda: "held a message of an unknown task" in running.said, lambda: running.said)

        assert redis_client.llen(redis_keys.HELD_MESSAGES) == 1
        assert SECRET not in running.said
