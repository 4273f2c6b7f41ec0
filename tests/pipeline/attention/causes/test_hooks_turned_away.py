"""Hooks that come to a store's URLs and are lost need a person, if a person can do something about it."""

from __future__ import annotations

import pytest

from pipeline.attention.causes.hooks_turned_away import MAX_AGE_US
from pipeline.inbox.rejections import RejectionCounter


def turn_away(desk, status, store=None):
    tally = RejectionCounter()
    tally.add(store or desk.store.name, status, desk.clock)
    tally.flush(desk.redis)


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("status", "audience"), [("404", "merchant"), ("405", "merchant"), ("413", "operator"), ("415", "merchant")]
)
def test_hooks_that_are_lost_are_named_with_their_store(desk, status, audience):
    turn_away(desk, status)

    (item,) = desk.list()
    assert (item.cause, item.store_id, item.reason) == ("hooks_turned_away", desk.store.id, status)
    assert (item.audience, item.headline.startswith(f"{desk.store.name}: hooks ")) == (audience, True)


@pytest.mark.parametrize("status", ["400", "408", "503"])
def test_hooks_that_break_off_need_no_one(desk, status):
    turn_away(desk, status)

    assert desk.list() == []


def test_it_is_over_a_day_after_the_last(desk):
    turn_away(desk, "404")
    desk.clock += MAX_AGE_US + 1

    assert desk.list() == []


def test_hooks_of_a_store_that_is_gone_need_no_one(desk):
    turn_away(desk, "404", "another-store")

    assert desk.list() == []
