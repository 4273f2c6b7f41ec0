"""What is acknowledged while RabbitMQ is silent or away, and what becomes of it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack

import pytest

from receiver.demo.processes import start_demo
from receiver.demo.scenario import run_scenario
from tests.servers.rabbitmq import Node, rabbitmq

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
HOOKS = 40


class Fate:
    """Silence RabbitMQ when the store begins to send; when all hooks have been sent, replace it with a new one."""

    def __init__(self, nodes: ExitStack) -> None:
        self._nodes = nodes
        self._node: Node = nodes.enter_context(rabbitmq())
        self._acts = {"simulating the store": self._silence, "delivering messages": self._replace}

    @property
    def first(self) -> Node:
        return self._node

    def progress(self, what: str, *_: int) -> None:
        act = self._acts.pop(what, None)
        if act is not None:
            act()

    def _silence(self) -> None:
        os.kill(self._node.pid, signal.SIGSTOP)

    def _replace(self) -> None:
        self._nodes.close()
        self._nodes.enter_context(rabbitmq(self._node.port))


def test_hooks_are_acknowledged_while_rabbitmq_is_silent_and_arrive_once_after_it_is_replaced(
    make_processes,
):
    with ExitStack() as nodes:
        fate = Fate(nodes)
        players = make_processes(fate.first)

        found = run_scenario(players, start_demo(players, seed=5), HOOKS, 5, fate.progress)

    assert found["accepted"] == found["sent"]
    reported = found["events"] - found["recovered"]
    assert found["accepted"] == reported + found["duplicates_dropped"] + found["quarantined"]
    assert [found[fault] for fault in ("missing", "unexpected", "twice", "out_of_order")] == [0, 0, 0, 0]
