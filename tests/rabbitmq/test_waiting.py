"""RabbitMQ says how many messages wait, as Redis does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from kombu import pools

from tasks.app import app
from tasks.config import DELIVERIES, HOOKS, celery_config
from tasks.worker.backpressure import is_stalled
from tests.installation import Installation
from tests.servers.rabbitmq import Node
from tests.tasks.inline_worker import fill_queue


@pytest.fixture(autouse=True)
def broker(installed: Installation, node: Node) -> Iterator[None]:
    app.conf.update(celery_config(replace(installed.process.settings, broker_url=node.url)))
    app._after_fork()
    delete_queues()  # of other tests of this node
    yield
    delete_queues()
    pools.reset()
    app._after_fork()


def delete_queues() -> None:
    for queue in (HOOKS, DELIVERIES):
        with app.connection_for_write() as connection, connection.channel() as channel:
            channel.queue_delete(queue)  # RabbitMQ does not mind if there is none


def test_sweeps_are_held_back_while_many_messages_wait_and_none_is_taken():
    fill_queue(HOOKS)

    assert is_stalled(app, HOOKS)


def test_a_queue_that_is_not_there_yet_is_given_messages():
    assert not is_stalled(app, DELIVERIES)
