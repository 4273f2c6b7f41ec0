"""A list of the API that shows less than it counts: the mark stays until it has been read again."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.reconciliations import request_pass
from pipeline.reconciliation import page
from tests.pipeline.reconciliation.sandbox_store import HOUR, MINUTE

ORDERS = "/v1/orders"


@pytest.fixture
def lossy(store, monkeypatch):
    """Some have bought a box each, and no hook has come; an order is on each page."""
    monkeypatch.setattr(page, "PAGE_SIZE", 1)
    store.losing = lambda _: True
    for _ in range(3):
        store.buy()
    store.wait(HOUR)
    with writing(store.engine) as conn:
        request_pass(conn, store.store_id, store.now())
    return store


def orders(store):
    return sum(event == "order_new" for event, _ in store.recovered())


def test_a_list_that_was_short_is_read_again_from_the_same_mark(lossy):
    before = lossy.row("orders").mark
    lossy.served.fault(page="empty", prefix=ORDERS, times=1)
    passed = lossy.run()
    first = lossy.row("orders"), orders(lossy)
    lossy.wait(6 * MINUTE)
    lossy.run()

    assert (first[0].mark, first[0].error, first[1]) == (before, "orders: 2 of 3 were shown", 2)
    assert passed.errors["orders"] == "orders: 2 of 3 were shown"
    assert (lossy.row("orders").error, orders(lossy)) == (None, 3)
    assert lossy.row("orders").mark > before


def test_one_that_stays_short_moves_the_mark_and_goes_on_saying_so(lossy):
    before = lossy.row("orders").mark
    lossy.served.fault(page="empty", prefix=ORDERS)
    lossy.run()
    lossy.wait(6 * MINUTE)
    lossy.run()

    row = lossy.row("orders")
    assert (row.error, orders(lossy)) == ("orders: 2 of 3 were shown", 2)
    assert row.mark > before


def test_one_that_is_always_short_is_not_read_twice_every_time(lossy):
    lossy.served.fault(page="empty", prefix=ORDERS)
    lossy.run()
    lossy.wait(6 * MINUTE)
    lossy.run()
    asked = len(lossy.served.asked())
    lossy.wait(2 * HOUR)
    lossy.run()
    once = len(lossy.served.asked())
    lossy.wait(6 * MINUTE)
    lossy.run()

    assert once > asked
    assert [path for _, path, _ in lossy.served.asked()[once:] if path.startswith(ORDERS)] == []


def test_a_page_whose_results_are_null_is_no_page(lossy):
    before = lossy.row("orders").mark
    lossy.served.fault(page="null", prefix=ORDERS, times=1)
    lossy.run()

    assert lossy.row("orders").mark == before
    assert "results is null" in lossy.row("orders").error
