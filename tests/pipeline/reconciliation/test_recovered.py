"""What is recovered is as if its hook had come, but for its time: what was learned since then stays."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import select

from pipeline.infra.compression import decompress
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import request_pass, set_record_only_since
from pipeline.ledger.schema import core
from pipeline.ledger.stores import get_store
from pipeline.reconciliation.run import reconcile
from pipeline.regulations.erase import ErasureRequest, build_eraser
from sandbox.store.shop import customers, payments, subscriptions
from tests.pipeline.reconciliation.sandbox_store import DAY, HOUR, MINUTE, SECOND, SandboxStore


def fact(store: SandboxStore, kind: str, field: str):
    with reading(store.engine) as conn:
        rows = conn.execute(select(core.Fact.data).where(core.Fact.kind == kind)).scalars()
        return [row[field][1] for row in rows if field in row]


def test_an_old_payment_does_not_hide_that_a_later_one_failed(store):
    store.losing = lambda news: news.event == "transaction_new"
    order = store.buy()
    store.wait(HOUR)
    subscriptions.fail_renewal(store.shop, store.world.state.get("subscriptions", order["_subscription_ids"][0]))
    store.compare_later()

    assert (fact(store, "payment", "failed"), store.recovered()[0][0]) == ([True], "transaction_new")


def test_a_recovered_event_teaches_the_current_state_of_an_unknown_person(store):
    store.losing = lambda news: news.event == "customer_new"
    customer = customers.register(store.shop)
    customer["first_name"] = "Robyn"
    store.compare()
    store.compare_later()

    assert fact(store, "customer", "first_name") == ["Robyn"]


def test_it_happened_when_the_store_says_and_was_received_when_it_was_found(store):
    store.losing = lambda news: news.event == "order_new"
    order = store.buy()
    store.compare_later()
    [event] = store.events("reconcile")

    placed = store.world.state.get("orders", order["id"])["placed_at"]
    assert event.occurred_at // SECOND < event.received_at // SECOND == store.now() // SECOND
    assert event.data["placed_at"] == placed


def test_a_renewal_happened_when_its_order_was_placed(store):
    order = store.buy()
    store.losing = lambda news: news.event == "subscription_renewed"
    store.wait(HOUR)
    subscriptions.renew(store.shop, store.world.state.get("subscriptions", order["_subscription_ids"][0]))
    renewed_at = store.now()
    store.compare_later(5 * HOUR)
    [event] = store.events("reconcile")

    assert 0 <= renewed_at - event.occurred_at < 60 * SECOND


@pytest.mark.parametrize("apart", [MINUTE, 23 * HOUR, 31 * DAY])
def test_a_renewal_is_recovered_though_one_before_it_had_arrived(store, apart):
    subscription = store.world.state.get("subscriptions", store.buy()["_subscription_ids"][0])
    subscriptions.renew(store.shop, subscription)
    store.wait(apart)
    store.losing = lambda news: news.event == "subscription_renewed"
    subscriptions.renew(store.shop, subscription)
    store.compare_later()

    assert store.recovered() == [("subscription_renewed", subscription["id"])]


def test_a_renewal_is_recovered_of_a_store_whose_time_runs_ahead_of_ours(store):
    """A sandbox store's months pass in seconds: all its hooks come at once."""
    subscription = store.world.state.get("subscriptions", store.buy()["_subscription_ids"][0])
    subscriptions.renew(store.shop, subscription)
    store.ahead = 31 * DAY
    store.wait(store.ahead)
    store.losing = lambda news: news.event == "subscription_renewed"
    subscriptions.renew(store.shop, subscription)
    store.compare()
    store.compare_later(16 * MINUTE)

    assert store.recovered() == [("subscription_renewed", subscription["id"])]


def test_its_body_is_kept_as_the_api_gave_it(store):
    store.losing = lambda news: news.event == "order_new"
    order = store.buy()
    store.compare_later()
    [event] = store.events("reconcile")

    with reading(store.engine) as conn:
        raw = conn.execute(select(core.Body.raw).where(core.Body.event_id == event.id)).scalar_one()
    assert (json.loads(decompress(raw))["id"], event.form) == (order["id"], "api")


def test_it_leaves_after_what_had_come_before_it_was_found(store):
    store.losing = lambda news: news.event == "order_new"
    store.buy()
    store.compare_later()

    with reading(store.engine) as conn:
        left = conn.execute(select(core.Delivery.name).order_by(core.Delivery.id)).scalars()
        assert [name for name in left if name][-1] == "order_new"


def test_a_suppressed_person_is_counted_and_not_recovered(store):
    store.losing = lambda news: news.event == "order_new"
    order = store.buy()
    with reading(store.engine) as conn:
        row = get_store(conn, store.store_id)
    build_eraser(store.context).erase(ErasureRequest(row, f"customer:{order['customer_id']}", suppress=True))
    store.compare_later()

    [event] = store.events("reconcile")
    assert (event.name, event.outcome, event.data) == ("order_new", "suppressed", {})
    assert [row.outcome for row in store.events()] == ["suppressed"] * len(store.events())


def test_what_is_only_recorded_reaches_no_platform(store):
    with writing(store.engine) as conn:
        set_record_only_since(conn, store.store_id, store.now())
    store.losing = lambda news: news.event == "order_new"
    store.buy()
    store.compare_later()
    [event] = store.events("reconcile")

    assert (event.outcome, store.deliveries("order_new")) == ("recorded", [])


def test_two_who_write_about_the_same_people_at_once_leave_what_one_after_the_other_would(any_store):
    """The chain records the second half of a history while reconciliation records the lost first half."""
    store = any_store
    store.losing = lambda news: news.event in {"order_new", "subscription_new"}
    bought = [store.buy() for _ in range(12)]
    store.wait(HOUR)
    store.losing = lambda _: False
    for order in bought:
        payments.refund(store.shop, order, 100)
    with writing(store.engine) as conn:
        request_pass(conn, store.store_id, store.now())

    compares = threading.Thread(target=reconcile, args=(store.context, store.store_id))
    compares.start()
    store.record()
    compares.join(60)

    with reading(store.engine) as conn:
        people = conn.execute(select(core.Person.customer_id)).scalars().all()
        keys = [(row.name, row.message_id) for row in conn.execute(select(core.Delivery)) if row.message_id]
    events = [row.happening for row in store.events()]
    assert sorted(people) == sorted(order["customer_id"] for order in bought)
    assert (len(events), len(set(events)), len(keys)) == (12 * 6, 12 * 6, 12 * 6)
