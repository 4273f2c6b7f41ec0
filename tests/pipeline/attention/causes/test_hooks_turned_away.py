"""Hooks that come to a store's URLs and are lost need a person, if a person can do something about it."""

from __future__ import annotations

import pytest

from pipeline.attention.causes.hooks_turned_away import MAX_AGE_US
from pipeline.inbox.rejections import RejectionCounter


def turn_away(attention, status, store=None):
    tally = RejectionCounter()
    tally.add(store or attention.store.name, status, attention.clock)
    tally.flush(attention.redis)


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("status", "audience"),
    [("404", "merchant"), ("405", "merchant"), ("413", "operator"), ("415", "merchant"), ("429", "operator")],
)
def test_hooks_that_are_lost_are_named_with_their_store(attention, status, audience):
    turn_away(attention, status)

    (item,) = attention.list()
    assert (item.cause, item.store_id, item.reason) == ("hooks_turned_away", attention.store.id, status)
    assert (item.audience, item.headline.startswith(f"{attention.store.name}: hooks ")) == (audience, True)


@pytest.mark.parametrize("status", ["400", "408", "503"])
def test_hooks_that_break_off_need_no_one(attention, status):
    turn_away(attention, status)

    assert attention.list() == []


def test_it_is_over_a_day_after_the_last(attention):
    turn_away(attention, "404")
    attention.clock += MAX_AGE_US + 1

    assert attention.list() == []


def test_hooks_of_a_store_that_is_gone_need_no_one(attention):
    turn_away(attention, "404", "another-store")

    assert attention.list() == []
