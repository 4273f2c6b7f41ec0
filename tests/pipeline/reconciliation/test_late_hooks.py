"""A hook may take its time: before its happening is recovered, and after."""

from __future__ import annotations

import pytest

from sandbox.store.shop import customers
from tests.pipeline.reconciliation.sandbox_store import MINUTE


@pytest.fixture
def arrived(any_store):
    """A customer has registered and bought a box, and all three hooks but the first are on their way, or lost."""
    any_store.losing = lambda news: news.event != "customer_new"
    any_store.buy()
    return any_store


BOUGHT = ["order_new", "subscription_new", "transaction_new"]


def test_what_is_younger_than_its_grace_is_left_alone(arrived):
    arrived.wait(14 * MINUTE)
    arrived.compare()

    assert arrived.recovered() == []


def test_what_is_older_is_recovered(arrived):
    arrived.compare_later(16 * MINUTE)

    assert [event for event, _ in arrived.recovered()] == BOUGHT


def test_a_hook_that_comes_within_its_grace_is_no_missed_one(arrived):
    arrived.compare_later(MINUTE)
    for hook in arrived.lost:
        arrived.deliver_late(hook)
    arrived.compare_later()

    assert (arrived.recovered(), arrived.counted()["missed"]) == ([], 0)


def test_a_hook_that_comes_after_all_is_the_same_happening_and_counted(arrived):
    arrived.compare_later()
    for hook in arrived.lost:
        arrived.deliver_late(hook)
    arrived.record()

    events = [(row.name, row.duplicates) for row in arrived.events() if row.name in BOUGHT]
    assert sorted(events) == [(event, 1) for event in BOUGHT]
    assert arrived.counted() == {"expected": 4, "missed": 0, "late": 3, "dead": 0}


def test_a_customer_who_says_no_date_is_given_the_same_grace(store):
    store.losing = lambda _: True
    customers.register(store.shop)
    store.compare()
    before = store.recovered()
    store.compare_later(16 * MINUTE)

    assert (before, [event for event, _ in store.recovered()]) == ([], ["customer_new"])


def test_what_the_next_passes_see_again_is_counted_once(arrived):
    for _ in range(3):
        arrived.compare_later(20 * MINUTE)

    assert arrived.counted() == {"expected": 4, "missed": 3, "late": 0, "dead": 0}
