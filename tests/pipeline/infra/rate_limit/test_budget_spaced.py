"""A rate that whole calls in whole seconds would waste."""

from __future__ import annotations

import time

import fakeredis
import pytest

from pipeline.infra.rate_limit.budget import Budget

NAME = "cratewire:budget:test:account"


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


def test_a_rate_between_whole_calls_is_not_rounded_down(redis):
    slow = Budget(redis, NAME, 0.19)

    assert slow.acquire() == 0.0
    assert 0 < slow.acquire() <= 1 / 0.19 + 0.001  # one call in six whole seconds would be a seventh less


def test_urgent_calls_go_first_between_spaced_ones_too(redis):
    urgent, other = Budget(redis, NAME, 0.19, urgent=True), Budget(redis, NAME, 0.19)
    other.acquire()
    urgent.acquire()
    redis.delete(f"{NAME}:due")

    assert other.acquire() > 0
    assert urgent.acquire() == 0.0


def test_a_call_that_is_slightly_late_does_not_delay_the_next(redis):
    """The clock of the calls goes on although this one was late."""
    budget = Budget(redis, NAME, 1.5)
    budget.acquire()
    redis.set(f"{NAME}:due", time.time() - 0.05)

    assert budget.acquire() == 0.0
    assert budget.acquire() <= 1 / 1.5 - 0.05


def test_a_call_that_is_much_later_does_not_catch_up(redis):
    budget = Budget(redis, NAME, 1.5)
    budget.acquire()
    redis.set(f"{NAME}:due", time.time() - 60)

    assert budget.acquire() == 0.0
    assert budget.acquire() > 0


def test_waiting_for_the_next_call_is_no_pause(redis):
    budget = Budget(redis, NAME, 1.5)
    budget.acquire()

    assert budget.acquire() > 0
    assert budget.pause_left_s() == 0.0


def test_spaced_calls_too_keep_the_margin_after_those_of_the_last_second(redis):
    budget = Budget(redis, NAME, 1.5, margin=0.5)
    redis.lpush(f"{NAME}:window", *[time.time() - 1.1] * 2)

    assert 0 < budget.acquire() < 0.5
