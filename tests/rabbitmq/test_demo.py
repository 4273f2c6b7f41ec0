"""The demo with RabbitMQ between the tasks, and with another platform than the usual one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from amqp import Connection
from amqp.exceptions import NotFound, PreconditionFailed

from pipeline.settings import read_environment
from tasks.config import BACKFILL, DELIVERIES, HOOKS
from tests.servers.rabbitmq import Node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def found(node, tmp_path_factory):
    """What a demo with RabbitMQ ended with."""
    command = [sys.executable, "-m", "receiver.cli", "demo", "--hooks", "150", "--platform", "webhook", "--json"]
    command += ["--broker-url", node.url]
    folder = tmp_path_factory.mktemp("demo")
    environment = {**read_environment(None), "TMPDIR": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_everything_arrives_once(found):
    assert {name: found[name] for name in ("missing", "unexpected", "twice", "out_of_order")} == dict.fromkeys(
        ("missing", "unexpected", "twice", "out_of_order"), 0
    )
    assert found["delivered"] > 50  # two in five of the 150 hooks are about people who are withheld


@pytest.mark.parametrize("queue", [HOOKS, DELIVERIES, BACKFILL])
def test_the_queues_are_quorum_queues(found, node, queue):
    with pytest.raises(PreconditionFailed, match="received 'classic' but current is 'quorum'"):
        declare(node, queue, arguments={"x-queue-type": "classic"})


def test_no_queues_for_delayed_messages_are_made(found, node):
    with pytest.raises(NotFound):
        declare(node, "celery_delayed_0", passive=True)


def declare(node: Node, queue: str, **options) -> None:
    """Declare a queue with wrong arguments: RabbitMQ's refusal reports the real ones."""
    with Connection(f"127.0.0.1:{node.port}", read_timeout=60) as connection:
        connection.channel().queue_declare(queue, durable=True, auto_delete=False, **options)
