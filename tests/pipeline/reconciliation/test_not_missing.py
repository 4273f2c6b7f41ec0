"""What looks as if it were missing, and is not."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.engine import writing
from pipeline.ledger.reconciliations import create_missing_reconciliations
from pipeline.ledger.schema import core
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.reconciliation.collections import COLLECTIONS
from sandbox.store.shop import boxes, customers, subscriptions
from tests.pipeline.reconciliation.conftest import connected
from tests.pipeline.reconciliation.sandbox_store import DAY, HOUR, MINUTE, SandboxStore


@pytest.fixture
def subscribed(store):
    """A subscription whose hook came."""
    order = store.buy()
    store.compare_later()
    return store.world.state.get("subscriptions", order["_subscription_ids"][0])


def lose_all(store):
    store.losing = lambda _: True


def test_nothing_from_before_the_connection_is_recovered(shop, engine):
    store = SandboxStore(engine, shop)
    lose_all(store)
    order = store.buy()
    store.wait(DAY)
    subscriptions.cancel(store.shop, store.world.state.get("subscriptions", order["_subscription_ids"][0]))
    store.wait(HOUR)
    connected(store)
    store.compare_later()

    assert (store.recovered(), store.counted()["expected"]) == ([], 0)


def test_what_was_before_can_still_be_ended(shop, engine):
    store = SandboxStore(engine, shop)
    lose_all(store)
    order = store.buy()
    connected(store)
    subscription = store.world.state.get("subscriptions", order["_subscription_ids"][0])
    subscriptions.cancel(store.shop, subscription)
    store.compare()
    store.compare_later()

    assert ("subscription_cancelled", subscription["id"]) in store.recovered()


def test_a_renewal_whose_end_date_was_moved_by_hand_is_not_recovered(store, subscribed):
    subscriptions.renew(store.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    store.compare_later()

    assert store.recovered() == []


def test_of_two_reported_renewals_of_a_day_the_later_is_not_recovered_when_its_end_date_is_moved(store, subscribed):
    subscriptions.renew(store.shop, subscribed)
    store.wait(HOUR)
    subscriptions.renew(store.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    store.compare_later()

    assert store.recovered() == []


def test_a_renewal_that_was_recovered_is_not_recovered_when_its_end_date_is_moved(store, subscribed):
    lose_all(store)
    subscriptions.renew(store.shop, subscribed)
    store.compare_later()
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    store.compare_later(16 * MINUTE)

    assert [event for event, _ in store.recovered()].count("subscription_renewed") == 1


def test_a_cancellation_whose_end_date_was_moved_by_hand_is_not_recovered(store, subscribed):
    subscriptions.cancel(store.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    store.compare()
    store.compare_later()

    assert store.recovered() == []


def test_a_hook_among_the_dead_ones_was_not_missed(store):
    store.losing = lambda news: news.event == "order_new"
    order = store.buy()
    dead = {"store_id": store.store_id, "store": "sunny-box", "version": 1, "event": "order_new", "receipt": "r"}
    how = {"stage": "validate", "reason": "invalid", "detail": {}, "received_at": 1, "died_at": 1, "times": 1}
    with writing(store.engine) as conn:
        conn.execute(insert(core.DeadHook).values(**dead, **how, raw=store.packed(f'{{"id": {order["id"]}')))
    store.compare_later()

    counted = store.counted()
    assert (store.recovered(), counted["missed"], counted["dead"]) == ([("order_new", order["id"])], 0, 1)


@pytest.mark.parametrize(("forwards", "recovered"), [(False, 0), (True, 3)])
def test_test_objects_are_only_looked_for_where_the_store_forwards_them(store, forwards, recovered):
    with writing(store.engine) as conn:
        conn.execute(update(core.Store).values(forward_tests=forwards))
    store.losing = lambda news: news.test
    store.buy(test=True)
    store.compare_later()

    assert len(store.recovered()) == recovered


@pytest.mark.parametrize("sends", [True, False])
def test_a_renewals_order_is_expected_only_of_a_store_that_sends_such(store, subscribed, sends):
    store.world.switches.renewal_orders = sends
    subscriptions.renew(store.shop, subscribed)
    store.compare_later()
    lose_all(store)
    lost = subscriptions.renew(store.shop, subscribed)
    store.compare_later()

    assert (("order_new", lost["id"]) in store.recovered()) is sends


def test_what_happens_while_the_hooks_are_removed_is_none_of_our_concern(store):
    def take_up(*, registers):
        with writing(store.engine) as conn:
            conn.execute(update(StoreAPI).values(registers=registers))
            create_missing_reconciliations(conn, list(COLLECTIONS), 0, store.now())

    take_up(registers=False)
    lose_all(store)
    store.buy()
    store.wait(HOUR)
    take_up(registers=False)  # once a minute
    take_up(registers=True)
    store.compare_later()
    customers.register(store.shop)
    store.compare()
    store.compare_later()

    assert [event for event, _ in store.recovered()] == ["customer_new"]


def test_a_box_that_was_sent_and_reported_is_no_other_when_its_tracking_number_changes(store, subscribed):
    [box] = store.world.state.of("shipments", "subscription_id", subscribed["id"])
    boxes.ship(store.shop, box)
    box["tracking_number"] = "94001"
    store.compare_later()

    assert store.recovered() == []
