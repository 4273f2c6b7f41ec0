"""Which boxes are found, when, and what they look like at the warehouse: over real HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.runs import find_last_run
from pipeline.ledger.schema.fulfilment import FulfilmentOrder
from tests.pipeline.fulfilment.bridge import DAY, HOUR, MINUTE


def lines_of(bridge, shipment):
    """(SKU, quantity) of what the warehouse was sent."""
    (order,) = bridge.sent(shipment)
    return sorted((line["sku"], line["quantity"]) for line in order["lines"])


def find_watermark(bridge):
    """When the last search of ad-hoc boxes began that read everything."""
    with reading(bridge.engine) as conn:
        return find_last_run(conn, bridge.store_id, "pull_adhoc", is_ok=True).started_at


def list_known(bridge):
    with reading(bridge.engine) as conn:
        return conn.execute(select(FulfilmentOrder.shipment_id)).scalars().all()


# 5. A page that fails leaves the watermark; 429 is honoured.
def test_a_search_that_fails_is_made_again_and_reads_everything(bridge):
    bridge.store.fault(prefix="/v1.1/shipments/", status=500, times=1)
    shipment = bridge.sell()
    failed = bridge.run("pull_adhoc")
    again = bridge.run("pull_adhoc")
    bridge.settle()

    assert (failed.error is None, again.error) == (False, None)
    assert bridge.state(shipment) == "at_warehouse"


def test_a_second_page_that_fails_loses_no_box_and_leaves_the_watermark(bridge):
    shipments = [bridge.sell(), bridge.sell()]
    bridge.store.switch(max_limit=1)
    watermark = find_watermark(bridge)
    bridge.store.fault(prefix="/v1.1/shipments", status=500, skip=1, times=1)
    failed = bridge.run("pull_adhoc")
    kept, after = list_known(bridge), find_watermark(bridge)
    assert (failed.error is None, len(kept), after) == (False, 1, watermark)

    bridge.wait(5 * MINUTE)

    assert [bridge.state(shipment) for shipment in shipments] == ["at_warehouse"] * 2
    assert find_watermark(bridge) > watermark


def test_a_429_of_cratejoy_is_waited_for_and_the_search_goes_on_where_it_was(bridge):
    shipment = bridge.sell()
    bridge.store.fault(prefix="/v1/shipments/", status=429, retry_after=30, times=1)
    waiting = bridge.run("pull_adhoc")
    asked = len(bridge.store.asked())
    bridge.run("pull_adhoc")
    assert (waiting.resume_in_s > 1, len(bridge.store.asked())) == (True, asked)

    bridge.context.redis.flushall()  # the thirty seconds are over
    bridge.run("pull_adhoc")
    bridge.settle()

    assert bridge.state(shipment) == "at_warehouse"


# 6. Prepaid plan.
def test_the_later_boxes_of_a_prepaid_plan_are_sent_although_its_order_is_closed(bridge):
    sold = bridge.sold(billing="adhoc", cycles=3, target=bridge.iso(-HOUR))
    boxes = sold["shipment_ids"]
    order = bridge.store.running.world.state.get("orders", sold["order_id"])
    order.update(fulfillment_status="fulfilled", status="closed")
    bridge.search()
    bridge.wait(40 * DAY)
    bridge.search()

    assert [bridge.state(shipment) for shipment in boxes[:2]] == ["at_warehouse", "at_warehouse"]


# 7. Unpaid at first, paid later.
def test_a_box_that_is_paid_days_later_is_sent(bridge):
    sold = bridge.sold(billing="adhoc", target=bridge.iso(-DAY), is_paid=False)
    shipment = sold["shipment_ids"][0]
    bridge.search()
    assert bridge.state(shipment) == "held(unpaid)"
    bridge.wait(5 * DAY)
    bridge.do("orders", sold["order_id"], "pay")
    bridge.wait(DAY)

    assert bridge.state(shipment) == "at_warehouse"


# 8. Dates, switches, subscriptions that are not active.
@pytest.mark.parametrize(("days", "state"), [(6, "at_warehouse"), (7, "at_warehouse"), (8, None)])
def test_an_ad_hoc_box_is_sent_from_seven_days_before_its_date(bridge, days, state):
    shipment = bridge.sell(target=bridge.iso(days * DAY))
    bridge.search()
    if state is None:
        bridge.hint(("shipment", shipment))
        bridge.settle()
        assert bridge.state(shipment) != "at_warehouse"
        bridge.wait(DAY + HOUR)
    assert bridge.state(shipment) == "at_warehouse"


def test_a_standard_box_is_sent_when_its_batch_has_ended(bridge):
    shipment = bridge.sell(billing="standard", target=bridge.iso(DAY))
    bridge.search()
    before = bridge.state(shipment)
    bridge.wait(62 * DAY)
    bridge.search()

    assert before == "discovered(not_due)"
    assert bridge.state(shipment) == "at_warehouse"


def test_boxes_of_a_type_that_is_switched_off_stay_here(bridge):
    bridge.set(pull_ecommerce="no")
    shipment = bridge.sell(billing="ecom")
    bridge.search()
    bridge.hint(("shipment", shipment))
    bridge.settle()

    assert bridge.state(shipment) == "skipped(type_disabled)"


def test_a_box_of_a_subscription_that_is_not_active_is_held_until_it_is_released(bridge):
    sold = bridge.sold(billing="adhoc", target=bridge.iso(-HOUR))
    shipment = sold["shipment_ids"][0]
    bridge.do("subscriptions", sold["subscription_id"], "expire")
    bridge.search()
    held = bridge.state(shipment)
    bridge.requests().decide(f"SUB-{shipment}", "release")
    bridge.settle()

    assert (held, bridge.state(shipment)) == ("held(subscription_not_active)", "at_warehouse")


def test_what_is_older_than_the_earliest_date_is_left_out(make_bridge):
    bridge = make_bridge(earliest_order_at="2026-03-01")
    bridge.go_live()
    shipment = bridge.sell(billing="ecom", target=bridge.iso(-10 * DAY))
    bridge.search()
    bridge.hint(("shipment", shipment))
    bridge.settle()

    assert bridge.state(shipment) == "skipped(too_old)"


def test_what_only_a_reading_by_id_leaves_out_is_left_alone_by_the_lists(bridge):
    test, empty = bridge.sell(is_test=True), bridge.sell()
    bridge.do("shipments", empty, "cancel_line")
    bridge.search()
    before = [bridge.events(test), bridge.events(empty)]

    bridge.search()

    assert bridge.state(test) == "skipped(test_shipment)"
    assert bridge.state(empty) == "skipped(all_lines_cancelled)"
    assert [bridge.events(test), bridge.events(empty)] == before


def test_a_test_shipment_goes_out_once_the_settings_let_it_in(bridge):
    shipment = bridge.sell(is_test=True)
    bridge.search()
    left_out = bridge.state(shipment)
    bridge.set(load_test_shipments="yes")
    bridge.settle()

    assert (left_out, bridge.state(shipment)) == ("skipped(test_shipment)", "at_warehouse")


def test_a_box_cools_off_before_it_is_sent(make_bridge):
    bridge = make_bridge(cooling_off_signup_s="2")
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    before = bridge.state(shipment)
    bridge.wait(2 * HOUR + MINUTE)

    assert (before, bridge.state(shipment)) == ("discovered(cooling_off)", "at_warehouse")


def test_a_box_that_cools_off_is_judged_anew_when_the_wait_is_made_shorter(make_bridge):
    bridge = make_bridge(cooling_off_signup_s="2")
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    before = bridge.state(shipment)
    bridge.set(cooling_off_signup_s="0")
    bridge.settle()

    assert (before, bridge.state(shipment)) == ("discovered(cooling_off)", "at_warehouse")


# 9. What the order looks like.
def test_searches_meanwhile_change_nothing_of_a_box_that_cools_off(make_bridge):
    bridge = make_bridge("cartrover", cooling_off_signup_s="2")
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    before = bridge.events(shipment)

    bridge.search()

    assert (bridge.state(shipment), bridge.events(shipment)) == ("discovered(cooling_off)", before)


def test_a_subscription_box_has_the_prefix_and_a_one_off_order_has_none(bridge):
    box, order = bridge.sell(), bridge.sell(billing="ecom")
    bridge.search()

    assert {one["order_number"] for one in bridge.sent()} == {f"SUB-{box}", str(order)}


def test_equal_things_are_one_line(bridge):
    skus = [row["sku"] for row in bridge.store.running.world.state.rows("product_instances")][-2:]
    shipment = bridge.sell(billing="ecom", skus=[skus[0], skus[1], skus[0]])
    bridge.search()

    assert lines_of(bridge, shipment) == sorted([(skus[0], 2), (skus[1], 1)])


def test_a_gift_goes_to_its_recipient_and_says_nothing_of_the_buyer(bridge):
    gift = {"name": "Rory Receiver", "email": "rory@example.com", "message": "Enjoy the tea!"}
    shipment = bridge.sell(gift=gift, buyer={"name": "Bea Buyer", "email": "bea.buyer@example.com"})
    bridge.search()
    (order,) = bridge.sent(shipment)

    assert order["received"]["ship_e_mail"] != "bea.buyer@example.com"
    assert order["received"]["gift_message"] == "Enjoy the tea!"


# 15. An unmapped ship code.
def test_a_box_with_an_unmapped_ship_code_goes_out_once_the_code_is_mapped(bridge):
    bridge.set(reject_unmapped_ship_codes="yes")
    shipment = bridge.sell()
    bridge.search()
    held = bridge.state(shipment)
    bridge.set(ship_code_map="SUBSCRIPTION=USPS / Priority")
    bridge.settle()

    assert (held, bridge.state(shipment)) == ("held(unmapped_ship_code)", "at_warehouse")
