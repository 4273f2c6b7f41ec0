"""A pause that says nothing of the rate, and what it does beside one that does."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.infra.rate_limit.budget import Budget


@pytest.fixture
def budget():
    return Budget(fakeredis.FakeRedis(), "cratewire:budget:test:account", 8)


def test_holding_off_stops_all_callers_and_leaves_the_rate(budget):
    budget.hold_off(30)

    assert 20 < budget.pause_left_s() <= 30
    assert budget.factor() == 1.0


def test_holding_off_lasts_at_most_a_day(budget):
    budget.hold_off(10**9)

    assert 86_000 < budget.pause_left_s() <= 86_400


@pytest.mark.parametrize("seconds", [0, -5])
def test_holding_off_for_no_time_stops_no_caller(budget, seconds):
    budget.hold_off(seconds)

    assert budget.pause_left_s() == 0.0


@pytest.mark.parametrize("second", ["pause", "hold_off"])
@pytest.mark.parametrize("first", ["pause", "hold_off"])
@pytest.mark.parametrize("asked_s", [(10, 60), (60, 10)])
def test_of_two_times_the_longer_counts(budget, first, second, asked_s):
    getattr(budget, first)(asked_s[0])
    getattr(budget, second)(asked_s[1])

    assert 40 < budget.pause_left_s() <= 60


@pytest.mark.parametrize(("asked_s", "factor"), [(3, 0.8), (None, 0.5)])
def test_a_refusal_while_holding_off_lowers_the_rate(budget, asked_s, factor):
    budget.hold_off(30)
    budget.pause(asked_s)

    assert budget.factor() == factor


def test_a_refusal_without_a_time_does_not_shorten_holding_off(budget):
    budget.hold_off(30)
    budget.pause(None)

    assert 20 < budget.pause_left_s() <= 30


def test_holding_off_during_a_pause_lets_no_refusal_lower_the_rate_again(budget):
    budget.pause(3)
    budget.hold_off(30)
    budget.pause(3)

    assert budget.factor() == 0.8
