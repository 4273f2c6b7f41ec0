"""A collection that changes, or whose pages are spoiled, while it is read: no one is passed over without a word."""

from __future__ import annotations

import pytest

from pipeline.backfill import phases, run
from pipeline.backfill.progress import build_progress
from pipeline.backfill.schedule import DAY_US, start_due_backfills
from pipeline.cratejoy.pagination import Page
from receiver.cli.progress import describe_trouble, format_progress
from tests.builders import customer

CUSTOMERS = "/v1/customers"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """So that few people make many pages."""
    for module in (phases, run):
        monkeypatch.setattr(module, "PAGE_SIZE", 10)


def numbers(row):
    return row.state, row.done["customers"], row.totals["customers"]


def test_a_page_whose_results_are_null_is_asked_for_again(backfill):
    customers = backfill.shop.people(25)
    backfill.shop.fault(page="null", prefix=CUSTOMERS, times=3)
    backfill.start()

    row = backfill.run()

    assert (numbers(row), row.error, backfill.customers_sent()) == (("done", 25, 25), None, sorted(customers))


@pytest.mark.on_both_databases
def test_a_page_whose_results_stay_null_ends_it_and_says_so(backfill):
    backfill.shop.people(25)
    backfill.shop.fault(page="null", prefix=CUSTOMERS)
    backfill.start()

    row = backfill.run()

    assert (row.state, row.attempts) == ("failed", run.MAX_BROKEN_PAGE_ATTEMPTS)
    assert "results is null" in row.error


def test_a_page_that_comes_back_empty_is_missed_and_the_collection_read_again(backfill):
    customers = backfill.shop.people(25)
    backfill.shop.fault(page="empty", prefix=CUSTOMERS, times=1)
    backfill.start()

    row = backfill.run()

    assert (numbers(row), row.error, backfill.customers_sent()) == (("done", 25, 25), None, sorted(customers))


def test_a_page_that_stays_empty_leaves_it_short_with_the_numbers(backfill):
    backfill.shop.people(25)
    backfill.shop.fault(page="empty", prefix=CUSTOMERS)
    backfill.start()

    row = backfill.run()

    progress = build_progress(row, backfill.clock.now)
    assert numbers(row) == ("short", 15, 25)
    assert row.error == "customers: 15 of 25 were shown, in 2 readings"
    assert "customers: 15 of 25" in list(format_progress(progress))
    assert "15 of 25" in describe_trouble("acme", progress, 0)


def test_a_customer_skipped_because_another_was_deleted_is_found(backfill):
    customers = backfill.shop.people(25)
    backfill.shop.fault(page="gone", prefix=CUSTOMERS, times=1)
    backfill.start()

    row = backfill.run()

    assert (row.state, row.error) == ("done", None)
    assert set(customers) - set(backfill.customers_sent()) <= {customers[0], customers[-1]}  # the one who was deleted
    assert len(backfill.customers_sent()) >= 24


def test_reading_a_store_again_sends_nothing_twice(backfill):
    backfill.shop.people(25)
    backfill.shop.fault(page="empty", prefix=CUSTOMERS, times=1)
    backfill.start()
    backfill.run()

    assert len(backfill.customers_sent()) == len(set(backfill.customers_sent())) == 25


def test_a_store_that_grows_while_it_is_read_is_read_once(backfill):
    """A new customer is reported by a hook."""
    backfill.start()

    class Growing:
        asked = 0

        def page(self, resource, _filters=None, next_=None, limit=100, **_):
            if resource != "customers":
                return Page([], count=0)
            if limit == 1:
                return Page([], count=2)
            Growing.asked += 1
            if next_ is None:
                return Page([customer(id=1, email="c1@example.com")], next="?page=2", count=2)
            return Page([customer(id=2, email="c2@example.com")], count=3)

    row = backfill.row()
    while row.is_open:
        backfill.step(open_api=lambda *_: Growing())
        row = backfill.row()

    assert (numbers(row), Growing.asked) == (("done", 2, 2), 2)


def test_a_daily_pass_is_held_to_the_same(backfill):
    backfill.shop.people(25)
    backfill.start()
    backfill.run()
    backfill.shop.fault(page="empty", prefix=CUSTOMERS)
    backfill.clock.now += DAY_US + 1
    start_due_backfills(backfill.engine, backfill.clock.now)

    row = backfill.run()

    assert (row.kind, *numbers(row)) == ("incremental", "short", 15, 25)


@pytest.mark.on_both_databases
def test_a_store_that_was_short_is_looked_at_every_day(backfill):
    backfill.shop.people(25)
    backfill.shop.fault(page="empty", prefix=CUSTOMERS)
    backfill.start()
    backfill.run()
    backfill.clock.now += DAY_US + 1

    assert start_due_backfills(backfill.engine, backfill.clock.now) == [backfill.store_id]
