"""A worker starts processes when messages wait for them, and lets them go after a minute without need."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from tasks.worker.idle_pool import PATIENCE_S, SPARE_S, IdlePoolScaler


class FakePool:
    def __init__(self) -> None:
        self.num_processes = 1

    def grow(self, count: int) -> None:
        self.num_processes += count

    def shrink(self, count: int) -> None:
        self.num_processes -= count

    def maintain_pool(self) -> None:
        """Celery's pool starts and ends the processes here."""


class Request(SimpleNamespace):
    """A message that has been taken. Celery keeps it in a set of weak references."""

    __hash__ = object.__hash__


class Scene:
    """A pool of one to three processes, the messages in hand, and a clock."""

    def __init__(self) -> None:
        self.clock, self.pool = 0.0, FakePool()
        worker = SimpleNamespace(hub=SimpleNamespace(call_later=lambda _, check: self.checks.append(check)))
        self.checks: list[Callable[[], None]] = []  # that are to be made after PATIENCE_S
        self.scaler: Any = IdlePoolScaler(self.pool, 3, 1, worker=worker, now=lambda: self.clock)
        self.requests: list[Request] = []

    def take(self, count: int, name: str = "hooks.decode") -> None:
        for _ in range(count):
            self.requests.append(Request(name=name))
            state.reserved_requests.add(self.requests[-1])
            self.scaler.maybe_scale(self.requests[-1])

    def finish(self) -> None:
        state.reserved_requests.difference_update(self.requests)
        self.requests.clear()

    def lose_patience(self) -> None:
        self.clock += PATIENCE_S
        while self.checks:
            self.checks.pop()()

    def wait(self, seconds: float) -> int:
        """How many processes there are at the check after so long."""
        self.clock += seconds
        self.scaler.maybe_scale()
        return self.pool.num_processes


@pytest.fixture
def scene():
    scene = Scene()
    yield scene
    scene.finish()


@pytest.mark.parametrize(("messages", "processes"), [(0, 1), (1, 1), (2, 2), (3, 3), (5, 3)])
def test_there_are_as_many_processes_as_messages_that_stay_in_hand_up_to_the_most(scene, messages, processes):
    scene.take(messages)
    scene.lose_patience()

    assert scene.pool.num_processes == processes


def test_messages_that_are_soon_done_need_no_further_process(scene):
    for _ in range(20):
        scene.take(3)
        scene.finish()
        scene.lose_patience()

    assert scene.pool.num_processes == 1


def test_sweeps_need_one_process_together(scene):
    scene.take(3, "deliveries.sweep")
    scene.lose_patience()
    alone = scene.pool.num_processes
    scene.take(1)
    scene.lose_patience()

    assert (alone, scene.pool.num_processes) == (1, 2)


def test_spare_processes_go_one_after_the_other(scene):
    scene.take(3)
    scene.lose_patience()
    scene.finish()

    assert [scene.wait(SPARE_S), scene.wait(1), scene.wait(1), scene.wait(SPARE_S + 1)] == [3, 2, 2, 1]


def test_the_last_process_stays(scene):
    assert scene.wait(10 * SPARE_S) == 1


def test_a_single_message_now_and_then_keeps_no_second_process(scene):
    scene.take(2)
    scene.lose_patience()
    scene.finish()
    scene.clock += SPARE_S + 1
    scene.take(1)
    scene.finish()

    assert scene.wait(1) == 1


def test_no_process_goes_while_a_task_runs(scene):
    scene.take(2)
    scene.lose_patience()
    scene.finish()
    scene.clock += SPARE_S
    scene.take(1)

    assert scene.wait(SPARE_S + 1) == 2


def test_two_messages_at_a_time_keep_two_processes(scene):
    for _ in range(5):
        scene.clock += SPARE_S - 1
        scene.take(2)
        scene.lose_patience()
        scene.finish()

    assert scene.wait(SPARE_S) == 2
