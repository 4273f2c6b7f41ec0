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
def subscribed(town):
    """A subscription whose hook came."""
    order = town.buy()
    town.compare_later()
    return town.world.state.get("subscriptions", order["_subscription_ids"][0])


def lose_all(town):
    town.losing = lambda _: True


def test_nothing_from_before_the_connection_is_recovered(shop, engine):
    town = SandboxStore(engine, shop)
    lose_all(town)
    order = town.buy()
    town.wait(DAY)
    subscriptions.cancel(town.shop, town.world.state.get("subscriptions", order["_subscription_ids"][0]))
    town.wait(HOUR)
    connected(town)
    town.compare_later()

    assert (town.recovered(), town.counted()["expected"]) == ([], 0)


def test_what_was_before_can_still_be_ended(shop, engine):
    town = SandboxStore(engine, shop)
    lose_all(town)
    order = town.buy()
    connected(town)
    subscription = town.world.state.get("subscriptions", order["_subscription_ids"][0])
    subscriptions.cancel(town.shop, subscription)
    town.compare()
    town.compare_later()

    assert ("subscription_cancelled", subscription["id"]) in town.recovered()


def test_a_renewal_whose_end_date_was_moved_by_hand_is_not_recovered(town, subscribed):
    subscriptions.renew(town.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    town.compare_later()

    assert town.recovered() == []


def test_of_two_reported_renewals_of_a_day_the_later_is_not_recovered_when_its_end_date_is_moved(town, subscribed):
    subscriptions.renew(town.shop, subscribed)
    town.wait(HOUR)
    subscriptions.renew(town.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    town.compare_later()

    assert town.recovered() == []


def test_a_renewal_that_was_recovered_is_not_recovered_when_its_end_date_is_moved(town, subscribed):
    lose_all(town)
    subscriptions.renew(town.shop, subscribed)
    town.compare_later()
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    town.compare_later(16 * MINUTE)

    assert [event for event, _ in town.recovered()].count("subscription_renewed") == 1


def test_a_cancellation_whose_end_date_was_moved_by_hand_is_not_recovered(town, subscribed):
    subscriptions.cancel(town.shop, subscribed)
    subscribed["end_date"] = "2026-09-01T00:00:00Z"
    town.compare()
    town.compare_later()

    assert town.recovered() == []


def test_a_hook_among_the_dead_ones_was_not_missed(town):
    town.losing = lambda news: news.event == "order_new"
    order = town.buy()
    dead = {"store_id": town.store_id, "store": "sunny-box", "version": 1, "event": "order_new", "receipt": "r"}
    how = {"stage": "validate", "reason": "invalid", "detail": {}, "received_at": 1, "died_at": 1, "times": 1}
    with writing(town.engine) as conn:
        conn.execute(insert(core.DeadHook).values(**dead, **how, raw=town.packed(f'{{"id": {order["id"]}')))
    town.compare_later()

    assert (town.recovered(), town.counted()["missed"], town.counted()["dead"]) == ([("order_new", order["id"])], 0, 1)


@pytest.mark.parametrize(("forwards", "recovered"), [(False, 0), (True, 3)])
def test_test_objects_are_only_looked_for_where_the_store_forwards_them(town, forwards, recovered):
    with writing(town.engine) as conn:
        conn.execute(update(core.Store).values(forward_tests=forwards))
    town.losing = lambda news: news.test
    town.buy(test=True)
    town.compare_later()

    assert len(town.recovered()) == recovered


@pytest.mark.parametrize("sends", [True, False])
def test_a_renewals_order_is_expected_only_of_a_store_that_sends_such(town, subscribed, sends):
    town.world.switches.renewal_orders = sends
    subscriptions.renew(town.shop, subscribed)
    town.compare_later()
    lose_all(town)
    lost = subscriptions.renew(town.shop, subscribed)
    town.compare_later()

    assert (("order_new", lost["id"]) in town.recovered()) is sends


def test_what_happens_while_the_hooks_are_removed_is_none_of_our_concern(town):
    def take_up(*, registers):
        with writing(town.engine) as conn:
            conn.execute(update(StoreAPI).values(registers=registers))
            create_missing_reconciliations(conn, list(COLLECTIONS), 0, town.now())

    take_up(registers=False)
    lose_all(town)
    town.buy()
    town.wait(HOUR)
    take_up(registers=False)  # once a minute
    take_up(registers=True)
    town.compare_later()
    customers.register(town.shop)
    town.compare()
    town.compare_later()

    assert [event for event, _ in town.recovered()] == ["customer_new"]


def test_a_box_that_was_sent_and_reported_is_no_other_when_its_tracking_number_changes(town, subscribed):
    [box] = town.world.state.of("shipments", "subscription_id", subscribed["id"])
    boxes.ship(town.shop, box)
    box["tracking_number"] = "94001"
    town.compare_later()

    assert town.recovered() == []
