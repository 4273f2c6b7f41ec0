"""The shared rate budget, told by a clock of our own wherever time matters."""

from __future__ import annotations

import time

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.lanes.budget import LOWEST_FACTOR, Budget, window_of

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


def refuse(redis, budget, times=1):
    for _ in range(times):
        end_pause(redis)
        budget.pause(None)


def succeed(redis, budget, clock, seconds, step=1.0):
    """One success every `step` seconds."""
    end_pause(redis)
    for _ in range(round(seconds / step)):
        clock.added += step
        budget.succeeded()


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


def test_two_accounts_do_not_share(redis, budget):
    budget.acquire(8)

    assert Budget(redis, f"{NAME}2", 8).acquire() == 0.0


def test_a_cost_takes_its_room_at_once(budget):
    assert budget.acquire(5) == 0.0
    assert budget.acquire(4) > 0
    assert budget.acquire(3) == 0.0


def test_a_cost_beyond_the_window_goes_and_is_paid_for_in_time(budget):
    assert budget.acquire(20) == 0.0
    assert 1.4 < budget.acquire() <= 1.5


def test_a_debt_is_no_refusal(budget):
    budget.acquire(20)

    budget.pause(None)

    assert budget.factor() == 0.5


def test_a_new_budget_has_no_pause(budget):
    assert budget.paused() == 0.0


def test_a_told_pause_stops_everybody(redis, budget):
    budget.pause(30)

    assert 29 < Budget(redis, NAME, 8).acquire() <= 30


def test_the_pause_can_be_asked_for(budget):
    budget.pause(30)

    assert 29 < budget.paused() <= 30


def test_a_call_refused_by_the_pause_takes_nothing(redis, budget):
    budget.pause(30)

    budget.acquire()

    assert redis.llen(f"{NAME}:window") == 0


@pytest.mark.parametrize(("told", "seconds"), [(0, 1), (-5, 1), (0.2, 1), (2.5, 2.5), (10**9, 86_400)])
def test_a_told_pause_is_at_least_a_second_and_at_most_a_day(budget, told, seconds):
    budget.pause(told)

    assert seconds - 0.5 < budget.paused() <= seconds


def test_a_refusal_halves_the_rate(redis, budget):
    budget.pause(None)
    end_pause(redis)

    assert [budget.acquire() > 0 for _ in range(5)] == [False] * 4 + [True]


def test_refusals_of_calls_under_way_do_not_halve_again(budget):
    for _ in range(5):
        budget.pause(None)

    assert budget.factor() == 0.5


def test_a_longer_pause_told_meanwhile_counts(budget):
    budget.pause(10)
    budget.pause(60)
    budget.pause(20)

    assert 59 < budget.paused() <= 60


def test_a_refusal_without_a_time_does_not_shorten_the_pause(budget):
    budget.pause(60)
    budget.pause(None)

    assert 59 < budget.paused() <= 60


@pytest.mark.parametrize(("refusals", "seconds"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 32), (7, 60), (60, 60)])
def test_a_pause_of_our_own_doubles_up_to_a_minute(redis, budget, refusals, seconds):
    refuse(redis, budget, refusals)

    assert seconds - 0.5 < budget.paused() <= seconds


def test_refusals_that_said_for_how_long_do_not_lengthen_a_pause_of_our_own(redis, budget):
    for _ in range(8):
        end_pause(redis)
        budget.pause(3)

    refuse(redis, budget)

    assert budget.paused() <= 1


def test_a_success_makes_the_next_pause_short_again(redis, budget, clock):
    refuse(redis, budget, 5)
    succeed(redis, budget, clock, 20)

    refuse(redis, budget)

    assert budget.paused() <= 1


def test_the_rate_never_falls_below_its_floor(redis, budget):
    refuse(redis, budget, 20)

    assert budget.factor() == LOWEST_FACTOR


def test_from_the_floor_a_minute_of_success_brings_the_full_rate(redis, budget, clock):
    refuse(redis, budget, 20)
    clock.added += 300

    succeed(redis, budget, clock, 60)

    assert budget.factor() == 1.0


def test_half_a_minute_of_success_brings_about_half_of_it(redis, budget, clock):
    refuse(redis, budget, 20)
    clock.added += 300

    succeed(redis, budget, clock, 30)

    assert 0.4 < budget.factor() < 0.65


def test_many_successes_in_one_second_climb_no_faster(redis, budget, clock):
    refuse(redis, budget)
    clock.added += 1

    succeed(redis, budget, clock, 1, step=0.01)

    assert 0.5 < budget.factor() < 0.55


def test_silence_is_not_success(redis, budget, clock):
    refuse(redis, budget)
    clock.added += 3600

    succeed(redis, budget, clock, 1)

    assert budget.factor() == pytest.approx(0.5 + 5 / 60)


def test_a_success_during_the_pause_was_sent_before_it(budget, clock):
    budget.pause(30)
    clock.added += 10

    budget.succeeded()

    assert budget.factor() == 0.5


def test_a_clock_that_runs_behind_never_lowers_the_rate(redis, budget, clock):
    refuse(redis, budget)
    clock.added -= 3600

    succeed(redis, budget, clock, 1)

    assert budget.factor() == 0.5


def test_at_the_full_rate_nothing_is_kept(redis, budget, clock):
    refuse(redis, budget)
    succeed(redis, budget, clock, 40)

    assert redis.keys("*") == []


def test_a_success_at_the_full_rate_changes_nothing(redis, budget):
    budget.succeeded()
    budget.acquire()
    budget.succeeded()

    assert budget.factor() == 1.0


def test_a_throttle_nobody_touches_is_forgotten(redis, budget):
    budget.pause(None)

    assert 0 < redis.ttl(f"{NAME}:throttle") <= 86_401


@pytest.mark.parametrize(
    ("rate", "window"), [(100, (100, 1)), (2.5, (2, 1)), (1, (1, 1)), (0.5, (1, 2)), (0.3, (1, 4)), (1 / 64, (1, 64))]
)
def test_a_window_is_made_of_whole_calls_and_seconds(rate, window):
    assert window_of(rate) == window


@settings(deadline=None)
@given(st.floats(1e-4, 1e4))
def test_a_window_never_holds_more_than_the_rate(rate):
    calls, seconds = window_of(rate)

    assert calls >= 1
    assert calls <= rate * seconds * (1 + 1e-9)


@pytest.mark.parametrize("per_second", [0, -1])
def test_a_budget_of_nothing_is_a_mistake(redis, per_second):
    with pytest.raises(ValueError, match="more than nothing"):
        Budget(redis, NAME, per_second)
