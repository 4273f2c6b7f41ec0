"""A pause that says nothing of the rate, and what it does beside one that does."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.infra.rate_limit.budget import Budget


@pytest.fixture
def budget():
    return Budget(fakeredis.FakeRedis(), "cratewire:budget:test:account", 8)


def test_a_rest_stops_everybody_and_leaves_the_rate(budget):
    budget.rest(30)

    assert 20 < budget.paused() <= 30
    assert budget.factor() == 1.0


def test_a_rest_is_at_most_a_day(budget):
    budget.rest(10**9)

    assert 86_000 < budget.paused() <= 86_400


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_rest_of_nothing_stops_nobody(budget, seconds):
    budget.rest(seconds)

    assert budget.paused() == 0.0


@pytest.mark.parametrize("second", ["pause", "rest"])
@pytest.mark.parametrize("first", ["pause", "rest"])
@pytest.mark.parametrize("told", [(10, 60), (60, 10)])
def test_of_two_times_the_longer_counts(budget, first, second, told):
    getattr(budget, first)(told[0])
    getattr(budget, second)(told[1])

    assert 40 < budget.paused() <= 60


@pytest.mark.parametrize(("told", "factor"), [(3, 0.8), (None, 0.5)])
def test_a_refusal_during_a_rest_lowers_the_rate(budget, told, factor):
    budget.rest(30)
    budget.pause(told)

    assert budget.factor() == factor


def test_a_refusal_without_a_time_does_not_shorten_a_rest(budget):
    budget.rest(30)
    budget.pause(None)

    assert 20 < budget.paused() <= 30


def test_a_rest_during_a_pause_lets_no_refusal_lower_the_rate_again(budget):
    budget.pause(3)
    budget.rest(30)
    budget.pause(3)

    assert budget.factor() == 0.8
