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
    """Has been told to wait."""
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


def test_somebody_urgent_who_must_wait_gets_the_next_place(usual, urgent, make_room):
    make_room()

    assert usual.acquire() > 0
    assert urgent.acquire() == 0


def test_the_others_go_on_once_the_urgent_one_has_been_there(usual, urgent, make_room):
    make_room()
    urgent.acquire()
    make_room()

    assert usual.acquire() == 0


def test_an_urgent_one_that_never_comes_back_is_waited_for_no_longer_than_it_takes(redis, usual, urgent):
    assert 0 < redis.pttl(f"{NAME}:urgent") <= 1000 * (1 + URGENT_RETRY_S)


def test_those_who_must_let_somebody_go_first_look_again_soon(usual, urgent, make_room):
    make_room()

    assert 0 < usual.acquire() <= 0.25


def test_an_urgent_one_does_not_pass_a_pause(usual, urgent):
    usual.pause(30)

    assert urgent.acquire() > 25
