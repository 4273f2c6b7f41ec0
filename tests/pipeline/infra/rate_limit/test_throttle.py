"""What refusals do to a rate, on a clock of the test."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.infra.rate_limit.budget import Budget
from pipeline.infra.rate_limit.throttle import FAST_RECOVERY_SHARE, MIN_FACTOR

NAME = "cratewire:budget:test:account"
HALF_BACK = 27.5  # seconds of success from half the rate to just below the whole


class Clock:
    """Stands still but for what a test adds to it. Redis has a clock of its own, which runs."""

    def __init__(self):
        self.added = 0.0

    def __call__(self):
        return round(self.added * 1_000_000)


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(redis, clock):
    return Budget(redis, NAME, 8, clock)


def end_pause(redis, clock):
    """As if the pause had passed: not as long as Redis's clock says, since a busy machine takes a part of it."""
    if redis.delete(f"{NAME}:pause"):
        clock.added = max(clock.added, float(redis.hget(f"{NAME}:throttle", "climbed_at")))


@pytest.fixture
def refuse(redis, budget, clock):
    def refused(times=1, asked_s=None):
        for _ in range(times):
            end_pause(redis, clock)
            budget.pause(asked_s)

    return refused


@pytest.fixture
def succeed(redis, budget, clock):
    """One success every `step` seconds."""

    def succeeded(seconds, step=1.0):
        end_pause(redis, clock)
        for _ in range(round(seconds / step)):
            clock.added += step
            budget.record_success()

    return succeeded


def test_a_refusal_that_says_nothing_halves_the_rate(budget, refuse):
    refuse()

    assert budget.factor() == 0.5


def test_a_refusal_that_says_for_how_long_takes_a_fifth(budget, refuse):
    refuse(asked_s=3)

    assert budget.factor() == 0.8


def test_refusals_of_calls_under_way_do_not_lower_it_again(budget):
    for _ in range(5):
        budget.pause(None)

    assert budget.factor() == 0.5


def test_a_rate_refused_again_before_its_recovery_is_halved(budget, refuse, succeed):
    refuse(asked_s=3)
    succeed(3)
    before = budget.factor()
    refuse(asked_s=3)

    assert budget.factor() == pytest.approx(before / 2)


def test_a_rate_refused_again_near_the_refused_rate_is_lowered_by_a_fifth(budget, refuse, succeed):
    refuse(asked_s=3)
    succeed(30)
    before = budget.factor()
    refuse(asked_s=3)

    assert before > FAST_RECOVERY_SHARE
    assert budget.factor() == pytest.approx(0.8 * before)


def test_it_comes_back_quickly_to_just_below_the_rate_that_was_refused(budget, refuse, succeed):
    refuse(asked_s=3)
    succeed(9)

    assert budget.factor() == pytest.approx(FAST_RECOVERY_SHARE, abs=0.01)


def test_there_it_stays_for_a_while(budget, refuse, succeed):
    refuse(asked_s=3)
    succeed(35)

    assert FAST_RECOVERY_SHARE < budget.factor() < (1 + FAST_RECOVERY_SHARE) / 2


def test_a_store_that_allows_less_is_asked_ever_less_beyond_what_it_allows(budget, refuse, succeed):
    """It allows 0.4 of what we think. Refusals near it are a minute apart."""
    apart, since = [], 0
    for _ in range(400):
        since += 1
        if budget.factor() > 0.4:
            refuse(asked_s=1)
            apart, since = [*apart, since], 0
        succeed(1)

    assert apart[:3] == [1, 1, 1]
    assert all(seconds > 30 for seconds in apart[4:])


def test_beyond_the_rate_that_was_refused_it_grows_as_before(budget, refuse, succeed):
    refuse(asked_s=3)
    succeed(1)
    refuse(asked_s=3)  # at 0.82
    succeed(24 + 60)
    before = budget.factor()
    succeed(6)

    assert budget.factor() == pytest.approx(before + 0.1, abs=0.01)


def test_the_rate_never_falls_below_its_floor(budget, refuse):
    refuse(20)

    assert budget.factor() == MIN_FACTOR


def test_from_the_floor_a_minute_of_success_brings_nearly_the_full_rate(budget, refuse, succeed):
    refuse(20)
    succeed(60)

    assert budget.factor() == pytest.approx(FAST_RECOVERY_SHARE, abs=0.02)


def test_many_successes_in_one_second_do_not_speed_up_recovery(budget, refuse, succeed):
    refuse()
    succeed(1, step=0.01)

    assert 0.5 < budget.factor() < 0.55


def test_silence_is_not_success(budget, refuse, succeed, clock):
    refuse()
    clock.added += 3600
    succeed(1)

    assert budget.factor() == pytest.approx(0.5 + 5 / 60)


def test_a_success_during_the_pause_was_sent_before_it(budget, clock):
    budget.pause(30)
    clock.added += 10
    budget.record_success()

    assert budget.factor() == 0.8


def test_a_clock_that_runs_behind_never_lowers_the_rate(redis, budget, refuse, succeed, clock):
    refuse()
    end_pause(redis, clock)
    clock.added -= 3600
    succeed(1)

    assert budget.factor() == 0.5


def test_at_the_full_rate_nothing_is_stored(redis, budget, refuse, succeed):
    refuse()
    succeed(HALF_BACK + 61)

    assert redis.keys("*") == []


def test_a_success_at_the_full_rate_changes_nothing(budget):
    budget.record_success()
    budget.acquire()
    budget.record_success()

    assert budget.factor() == 1.0


def test_an_unused_throttle_expires(redis, budget):
    budget.pause(None)

    assert 0 < redis.ttl(f"{NAME}:throttle") <= 86_401


@pytest.mark.parametrize(("asked_s", "seconds"), [(0, 1), (-5, 1), (0.2, 1), (2.5, 2.5), (10**9, 86_400)])
def test_a_pause_with_a_time_is_at_least_a_second_and_at_most_a_day(budget, asked_s, seconds):
    budget.pause(asked_s)

    assert seconds / 2 < budget.pause_left_s() <= seconds


def test_a_longer_pause_during_a_pause_counts(budget):
    budget.pause(10)
    budget.pause(60)
    budget.pause(20)

    assert 30 < budget.pause_left_s() <= 60


def test_a_refusal_without_a_time_does_not_shorten_the_pause(budget):
    budget.pause(60)
    budget.pause(None)

    assert 30 < budget.pause_left_s() <= 60


@pytest.mark.parametrize(("refusals", "seconds"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 32), (7, 60), (60, 60)])
def test_a_pause_of_our_own_doubles_up_to_a_minute(budget, refuse, refusals, seconds):
    refuse(refusals)

    assert seconds / 2 < budget.pause_left_s() <= seconds


def test_refusals_that_said_for_how_long_do_not_lengthen_a_pause_of_our_own(budget, refuse):
    refuse(8, asked_s=3)
    refuse()

    assert budget.pause_left_s() <= 1


def test_a_success_makes_the_next_pause_short_again(budget, refuse, succeed):
    refuse(5)
    succeed(20)
    refuse()

    assert budget.pause_left_s() <= 1
