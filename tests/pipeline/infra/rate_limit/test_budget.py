"""The shared rate budget, on a clock of the test wherever time matters."""

from __future__ import annotations

import time

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.infra.rate_limit.budget import Budget, choose_window

NAME = "cratewire:budget:test:account"


class Clock:
    """Real time and what a test adds to it; `limits` and Redis have clocks of their own."""

    def __init__(self):
        self.added = 0.0

    def __call__(self):
        return time.time_ns() // 1000 + round(self.added * 1_000_000)


@pytest.fixture(params=[True, False], ids=["text", "bytes"])
def redis(request):
    return fakeredis.FakeRedis(decode_responses=request.param)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(redis, clock):
    return Budget(redis, NAME, 8, clock)


def end_pause(redis):
    """As if the pause had passed."""
    redis.delete(f"{NAME}:pause")


def test_as_many_calls_go_as_the_second_has_room_for(budget):
    assert [budget.acquire() for _ in range(8)] == [0.0] * 8


def test_the_next_call_waits_for_the_rest_of_the_second(budget):
    for _ in range(8):
        budget.acquire()

    assert 0 < budget.acquire() <= 1


def test_a_call_that_must_wait_takes_nothing(redis):
    budget = Budget(redis, NAME, 2)
    budget.acquire(2)

    for _ in range(10):
        budget.acquire()

    assert redis.llen(f"{NAME}:window") == 2


def test_all_processes_share_one_budget(redis, budget):
    other = Budget(redis, NAME, 8)

    assert [(budget.acquire(), other.acquire()) for _ in range(4)] == [(0.0, 0.0)] * 4
    assert other.acquire() > 0


def test_a_margin_keeps_the_second_after_a_call_longer(redis):
    """As if the second had passed since both calls, but not the margin."""
    budget = Budget(redis, NAME, 2, margin=0.5)
    budget.acquire(2)
    redis.delete(f"{NAME}:window")
    redis.lpush(f"{NAME}:window", *[time.time() - 1.1] * 2)

    assert 0 < budget.acquire() < 0.5
    assert Budget(redis, NAME, 2).acquire() == 0.0


def test_the_window_remembers_its_calls_for_as_long_as_the_margin(redis):
    Budget(redis, NAME, 1, margin=0.5).acquire()

    assert redis.pttl(f"{NAME}:window") > 1_500


def test_two_accounts_do_not_share(redis, budget):
    budget.acquire(8)

    assert Budget(redis, f"{NAME}2", 8).acquire() == 0.0


def test_a_cost_takes_its_room_at_once(budget):
    assert budget.acquire(5) == 0.0
    assert budget.acquire(4) > 0
    assert budget.acquire(3) == 0.0


def test_a_cost_beyond_the_window_goes_and_is_paid_for_in_time(budget):
    assert budget.acquire(20) == 0.0
    assert 1 < budget.acquire() <= 1.5


def test_a_debt_is_no_refusal(budget):
    budget.acquire(20)

    assert budget.pause_left_s() == 0.0


def test_a_refusal_lowers_the_rate_though_there_is_a_debt(budget):
    budget.acquire(20)

    budget.pause(None)

    assert budget.factor() == 0.5


def test_a_new_budget_has_no_pause(budget):
    assert budget.pause_left_s() == 0.0


def test_a_pause_with_a_time_stops_all_callers(redis, budget):
    budget.pause(30)

    assert 20 < Budget(redis, NAME, 8).acquire() <= 30


def test_the_pause_can_be_asked_for(budget):
    budget.pause(30)

    assert 20 < budget.pause_left_s() <= 30


def test_a_call_refused_by_the_pause_takes_nothing(redis, budget):
    budget.pause(30)

    budget.acquire()

    assert redis.llen(f"{NAME}:window") == 0


def test_a_refusal_halves_the_rate(redis, budget):
    budget.pause(None)
    end_pause(redis)

    assert [budget.acquire() > 0 for _ in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("rate", "window"), [(100, (100, 1)), (2.5, (2, 1)), (1, (1, 1)), (0.5, (1, 2)), (0.3, (1, 4)), (1 / 64, (1, 64))]
)
def test_a_window_is_made_of_whole_calls_and_seconds(rate, window):
    assert choose_window(rate) == window


@settings(deadline=None)
@given(st.floats(1e-4, 1e4))
def test_a_window_never_holds_more_than_the_rate(rate):
    calls, seconds = choose_window(rate)

    assert calls >= 1
    assert calls <= rate * seconds * (1 + 1e-9)


@pytest.mark.parametrize("per_second", [0, -1])
def test_a_budget_must_be_positive(redis, per_second):
    with pytest.raises(ValueError, match="must be positive"):
        Budget(redis, NAME, per_second)
