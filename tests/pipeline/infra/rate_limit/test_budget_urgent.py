"""Who goes first when two want the next call to one account."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.infra.rate_limit.budget import URGENT_RETRY_S, Budget

NAME = "cratewire:budget:test:account"


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


@pytest.fixture
def usual(redis):
    """Has just made the only call there was room for."""
    budget = Budget(redis, NAME, 1)
    assert budget.acquire() == 0
    return budget


@pytest.fixture
def urgent(redis, usual):
    """An urgent budget that had to wait."""
    budget = Budget(redis, NAME, 1, urgent=True)
    assert budget.acquire() > 0
    return budget


@pytest.fixture
def make_room(redis):
    """As time would."""

    def emptied():
        for key in redis.keys("*window*"):
            redis.delete(key)

    return emptied


def test_an_urgent_caller_that_must_wait_gets_the_next_call(usual, urgent, make_room):
    make_room()

    assert usual.acquire() > 0
    assert urgent.acquire() == 0


def test_other_callers_go_on_after_the_urgent_call(usual, urgent, make_room):
    make_room()
    urgent.acquire()
    make_room()

    assert usual.acquire() == 0


def test_an_urgent_caller_that_does_not_return_is_waited_for_only_for_a_limited_time(redis, usual, urgent):
    assert 0 < redis.pttl(f"{NAME}:urgent") <= 1000 * (1 + URGENT_RETRY_S)


def test_callers_that_yield_to_an_urgent_caller_ask_again_soon(usual, urgent, make_room):
    make_room()

    assert 0 < usual.acquire() <= 0.25


def test_an_urgent_caller_does_not_bypass_a_pause(usual, urgent):
    usual.pause(30)

    assert urgent.acquire() > 25
