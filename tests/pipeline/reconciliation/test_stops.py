"""A pass that cannot go on stops where it is, says why, and loses nothing."""

from __future__ import annotations

import pytest

from pipeline.core.errors import StaleFence
from pipeline.cratejoy.factory import open_store_client
from pipeline.inbox import stream
from pipeline.inbox.entry import RawHook
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import writing
from pipeline.ledger.reconciliations import list_due_stores, request_pass
from pipeline.ledger.store_apis import REFUSED, find_store_api
from pipeline.reconciliation.page import PageStep
from tests.pipeline.reconciliation.sandbox_store import HOUR, MINUTE

DATED = ["order_new", "subscription_new", "transaction_new"]  # at once: they say how old they are


@pytest.fixture
def lossy(store):
    """A customer has bought a box, and no hook has arrived."""
    store.losing = lambda _: True
    store.buy()
    store.wait(HOUR)
    return store


def ask(store):
    with writing(store.engine) as conn:
        request_pass(conn, store.store_id, store.now())


def test_a_page_that_fails_leaves_the_mark_where_it_was(lossy):
    before = lossy.row("orders").mark
    lossy.served.fault(status=500, prefix="/v1/orders", times=1)
    ask(lossy)
    lossy.run()

    assert (lossy.row("orders").mark, "answered 500" in lossy.row("orders").error) == (before, True)


def test_a_failure_is_tried_again_after_five_minutes_and_then_nothing_is_missing(lossy):
    lossy.served.fault(status=500, prefix="/v1/orders", times=1)
    ask(lossy)
    lossy.run()
    lossy.wait(4 * MINUTE)
    lossy.run()
    asked_too_early = lossy.row("orders").error is None
    lossy.wait(2 * MINUTE)
    lossy.run()

    assert (asked_too_early, lossy.row("orders").error) == (False, None)
    assert [event for event, _ in lossy.recovered()] == DATED


def test_a_list_the_api_does_not_have_keeps_back_no_other(lossy):
    lossy.gone = {"transactions"}
    ask(lossy)
    lossy.run()

    assert list(filter(None, (row.error and row.collection for row in lossy.rows()))) == ["transactions"]
    assert [event for event, _ in lossy.recovered()] == ["order_new", "subscription_new"]


def test_a_pause_the_store_asks_for_is_kept_and_no_one_sleeps(lossy):
    lossy.served.fault(status=429, prefix="/v1/orders", times=1, retry_after=30)
    ask(lossy)
    stopped = lossy.run()
    asked = len(lossy.served.asked())
    again = lossy.run()

    assert (stopped.done, stopped.wait > 20, again.done) == (False, True, True)
    assert len(lossy.served.asked()) == asked


def test_after_a_pause_it_goes_on_where_it_stopped(lossy):
    lossy.served.fault(status=429, prefix="/v1/orders", times=1, retry_after=30)
    ask(lossy)
    lossy.run()
    lossy.redis.flushall()  # the pause is over
    lossy.wait(MINUTE)
    lossy.run()

    read = [path for _, path, _ in lossy.served.asked()][-8:]
    assert read.count("/v1/customers/") == 1
    assert "order_new" in [event for event, _ in lossy.recovered()]


def test_refused_keys_are_noted_and_left_to_the_audit_of_the_hooks(lossy):
    lossy.served.fault(auth="revoked", times=1)
    ask(lossy)
    lossy.run()

    with writing(lossy.engine) as conn:
        due = list_due_stores(conn, lossy.now() + HOUR)
        assert (find_store_api(conn, lossy.store_id).status, due) == (REFUSED, [])


def test_while_hooks_wait_in_the_inbox_nothing_is_compared(lossy):
    head = {"receipt": "r", "store": "sunny-box", "version": 1, "event": "order_new", "raw": b"{}"}
    stream.add(lossy.redis, RawHook(**head, received_at=lossy.now() - 2 * MINUTE))
    ask(lossy)
    stopped = lossy.run()

    assert (stopped.done, lossy.recovered()) == (False, [])


def test_one_pass_at_a_time(lossy):
    ask(lossy)
    assert Lease(lossy.redis, f"cratewire:lease:reconciliation:{lossy.store_id}", "other", 60_000).acquire()

    assert (lossy.run().done, lossy.recovered()) == (False, [])


def test_of_two_who_take_the_same_step_one_gives_way_and_nothing_is_recorded_twice(any_store):
    any_store.losing = lambda _: True
    any_store.buy()
    any_store.wait(HOUR)
    api, row = open_store_client(any_store.context, any_store.store_id), any_store.row("orders")
    PageStep(any_store.context, api, row).take()

    with pytest.raises(StaleFence):
        PageStep(any_store.context, api, row).take()
    assert [event for event, _ in any_store.recovered()] == ["order_new"]


@pytest.mark.parametrize("base", [0, 1])
def test_a_list_of_several_pages_is_read_to_its_end(store, base):
    store.served.switch(page_base=base, max_limit=3)
    store.losing = lambda news: news.event == "customer_new"
    for _ in range(8):
        store.buy()
    store.compare()
    store.compare_later()

    assert [event for event, _ in store.recovered()] == ["customer_new"] * 8
