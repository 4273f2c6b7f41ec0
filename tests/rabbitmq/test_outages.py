"""What is acknowledged while RabbitMQ is silent or away, and what becomes of it."""

from __future__ import annotations

import os
import signal

import pytest

from receiver.demo.play import _compare, _connect, _live, _register, _settle
from receiver.demo.stage import set_stage
from tests.servers.rabbitmq import rabbitmq

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
HOOKS = 40


def test_hooks_are_acknowledged_while_rabbitmq_is_silent_and_arrive_once_when_another_has_taken_its_place(troupe):
    with rabbitmq() as first:
        players = troupe(first)
        stage = set_stage(players, seed=5)
        _register(stage, _connect(players, stage))
        os.kill(first.pid, signal.SIGSTOP)
        life = _live(stage, HOOKS, 5, quiet)
    assert life["accepted"] == life["posts"]

    with rabbitmq(first.port):
        status = _settle(players, quiet)
        compared = _compare(players, stage)

    assert status["events"]["total"] == HOOKS
    assert [compared[fault] for fault in ("missing", "unexpected", "twice", "out_of_order")] == [0, 0, 0, 0]


def quiet(what: str, done: int, total: int) -> None:
    pass
