"""Boxes reach the warehouse once, whatever is lost on the way: over real HTTP, for every adapter."""

from __future__ import annotations

import pytest

from tests.pipeline.fulfilment.bridge import DAY, HOUR, MINUTE

ADAPTERS = ["cartrover", "extensiv_3pl", "signed_webhook"]
CREATE = {
    "cartrover": "POST /cartrover/v1/cart/orders/cartrover",
    "extensiv_3pl": "POST /3pl/orders",
    "signed_webhook": "POST /generic",
}

CHANNELS = {"cartrover": "cartrover", "extensiv_3pl": "3pl", "signed_webhook": "generic"}


@pytest.fixture(params=ADAPTERS)
def any_bridge(make_bridge, request):
    made = make_bridge(request.param)
    made.go_live()
    return made


@pytest.fixture
def due(any_bridge):
    """A bridge with one box that is ready to go."""
    any_bridge.shipment = any_bridge.sell()
    for lane in ("pull_adhoc",):
        any_bridge.run(lane)
    assert any_bridge.state(any_bridge.shipment) == "ready"
    return any_bridge


# 1. Same shipment on two pages, two runs and one hook.
def test_a_shipment_that_is_seen_again_and_again_is_sent_once(bridge):
    shipments = [bridge.sell(), bridge.sell()]
    bridge.store.switch(max_limit=1)
    bridge.store.fault(prefix="/v1.1/shipments", page="repeated", times=1)
    for _ in range(2):
        bridge.search()
    bridge.hint(("shipment", shipments[0]), ("order", 1), ("subscription", 1))
    bridge.settle()

    assert [bridge.state(shipment) for shipment in shipments] == ["at_warehouse"] * 2
    assert len(bridge.sent()) == 2


# 2. The warehouse takes the order and its answer is lost.
def test_an_order_whose_answer_was_lost_is_not_sent_again(due):
    due.fault(match=CREATE[due.adapter], drop_after_commit=True)
    due.run("deliver")
    assert due.state(due.shipment) in ("unknown", "ready")

    due.wait(2 * MINUTE)

    assert (due.state(due.shipment), len(due.sent())) == ("at_warehouse", 1)


# 3. The worker is killed between two commits.
@pytest.mark.parametrize("point", ["before", "after"])
def test_a_worker_that_is_killed_leaves_one_order(due, point):
    due.kill(point, "create", lane="deliver")
    assert due.state(due.shipment) == "sending"

    for minutes in (11, 6, 6):
        due.wait(minutes * MINUTE)

    assert (due.state(due.shipment), len(due.sent())) == ("at_warehouse", 1)


def test_a_warehouse_that_would_take_a_second_order_is_given_none(bridge):
    """A ledger that was restored from a backup has forgotten that it has sent the box."""
    shipment = bridge.sell()
    bridge.control("switches", refuse_duplicates=False)
    bridge.run("pull_adhoc")
    bridge.kill("after", "create", lane="deliver")
    bridge.wait(11 * MINUTE)

    assert (bridge.state(shipment), len(bridge.sent())) == ("at_warehouse", 1)


def test_what_the_warehouse_lists_late_is_looked_up_twice_before_it_is_sent_again(bridge):
    shipment = bridge.sell()
    bridge.control("switches", visible_after_s=4 * MINUTE, refuse_duplicates=False)
    bridge.fault(match=CREATE["cartrover"], drop_after_commit=True)
    bridge.search()
    for _ in range(8):
        bridge.wait(MINUTE)

    assert (bridge.state(shipment), len(bridge.sent())) == ("at_warehouse", 1)


# 4. The warehouse has another order under the number.
def test_a_number_that_another_order_has_is_held_for_a_person(due):
    other = {"lines": [{"sku": "OTHER", "quantity": 2}], "received": {"shipTo": {"zip": "1"}, "fingerprint": "other"}}
    due.control("orders", channel=CHANNELS[due.adapter], order_number=f"SUB-{due.shipment}", **other)
    due.run("deliver")

    assert (due.state(due.shipment), len(due.sent())) == ("held(conflict)", 1)


def test_an_order_that_is_refused_waits_until_it_changes(make_bridge):
    bridge = make_bridge("extensiv_3pl")
    bridge.go_live()
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    (line,) = bridge.box(shipment).lines
    bridge.control("switches", unknown_skus=[line["sku"]])
    bridge.search()
    assert bridge.state(shipment) == "held(rejected_by_warehouse)"
    bridge.wait(26 * HOUR)
    assert bridge.state(shipment) == "held(rejected_by_warehouse)"

    bridge.set(sku_aliases=f"{line['sku']}=THEIRS")
    bridge.search()

    assert bridge.state(shipment) == "at_warehouse"


# 14. Trouble at the warehouse.
def test_a_rate_limit_in_a_200_lets_all_boxes_wait_and_counts_as_no_attempt(bridge):
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    bridge.fault(match="/cartrover/v1/cart/orders", rate_limited=True, times=2)
    bridge.run("deliver")
    waiting = bridge.box(shipment)
    for _ in range(2):
        bridge.wait(MINUTE)

    assert (waiting.state.value, waiting.attempts) == ("ready", 0)
    assert bridge.state(shipment) == "at_warehouse"


def test_a_token_that_expires_between_two_boxes_is_renewed(make_bridge):
    bridge = make_bridge("extensiv_3pl")
    bridge.go_live()
    first = bridge.sell()
    bridge.search()
    bridge.control("expire_tokens")
    second = bridge.sell()
    bridge.search()

    assert [bridge.state(one) for one in (first, second)] == ["at_warehouse"] * 2


def test_refused_keys_pause_the_warehouse_and_no_box_fails(bridge):
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    bridge.fault(match="/cartrover", status=401, times=None)
    bridge.run("deliver")

    assert "keys" in bridge.is_paused()
    assert bridge.state(shipment) == "ready"


def test_a_warehouse_that_is_down_gets_the_box_when_it_is_back(bridge):
    shipment = bridge.sell()
    bridge.fault(match="/cartrover", status=503, times=None)
    bridge.search()
    for _ in range(5):
        bridge.wait(HOUR)
    bridge.mend()
    for _ in range(4):  # not found twice, ready again, sent
        bridge.wait(HOUR)

    assert (bridge.state(shipment), len(bridge.sent())) == ("at_warehouse", 1)


def test_a_warehouse_that_never_answers_is_given_up_after_fifteen_days(bridge):
    shipment = bridge.sell()
    bridge.fault(match="POST /cartrover", drop_before_commit=True, times=None)
    bridge.search()
    bridge.wait(HOUR)
    bridge.wait(16 * DAY)

    assert bridge.state(shipment) == "failed(delivery_failed)"
