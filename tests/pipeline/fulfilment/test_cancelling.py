"""Cancels in every state, and with every race: over real HTTP, for every adapter that differs."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.orders import find_newest_order
from pipeline.ledger.queries.fulfilment import list_boxes_for_people
from tests.pipeline.fulfilment.bridge import DAY, HOUR, MINUTE

ADAPTERS = ["cartrover", "extensiv_3pl"]
every_adapter = pytest.mark.parametrize("away", [*ADAPTERS, "signed_webhook"], indirect=True)


@pytest.fixture(params=ADAPTERS)
def away(make_bridge, request):
    """A bridge with one box at the warehouse."""
    made = make_bridge(request.param)
    made.go_live()
    made.one = made.sell()
    made.search()
    assert made.state(made.one) == "at_warehouse"
    return made


def cancel(bridge):
    bridge.do("shipments", bridge.one, "cancel")
    bridge.hint(("shipment", bridge.one))


def test_a_box_that_is_cancelled_before_it_is_sent_never_goes_out(bridge):
    shipment = bridge.sell(target=bridge.iso(20 * DAY))
    bridge.hint(("shipment", shipment))
    bridge.do("shipments", shipment, "cancel")
    bridge.wait(40 * DAY)

    assert (bridge.state(shipment), bridge.sent()) == ("cancelled(cancelled_before_sending)", [])


def test_a_box_that_was_cancelled_before_it_was_seen_is_left_out(bridge):
    shipment = bridge.sell()
    bridge.do("shipments", shipment, "cancel")
    bridge.hint(("shipment", shipment))
    bridge.search()

    assert (bridge.state(shipment), bridge.sent()) == ("skipped(cancelled_before_load)", [])


def test_a_cancel_right_before_the_sending_is_seen(bridge):
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    bridge.do("shipments", shipment, "cancel")
    bridge.run("deliver")

    assert (bridge.state(shipment), bridge.sent()) == ("cancelled(cancelled_before_sending)", [])


@every_adapter
def test_a_box_is_cancelled_at_the_warehouse_in_time(away):
    cancel(away)
    away.settle()

    assert away.state(away.one) == "cancelled(cancelled_at_cratejoy)"
    assert away.sent(away.one)[0]["stage"] == "cancelled"


def test_a_cancel_that_no_hook_has_reported_is_found_by_the_search(away):
    away.do("shipments", away.one, "cancel")
    away.wait(5 * MINUTE)

    assert away.state(away.one) == "cancelled(cancelled_at_cratejoy)"


@every_adapter
def test_a_cancel_that_comes_too_late_is_refused_and_its_parcel_is_for_a_person(away):
    away.control("pick", order_number=away.box(away.one).order_number)
    cancel(away)
    refused = away.state(away.one)
    away.ship(away.one)
    away.wait(15 * MINUTE)

    assert refused == "cancel_refused(too_late)"
    assert away.state(away.one) == "shipped_after_cancel(parcel_after_cancel)"
    assert away.shipment(away.one)["emails"] == 0


@pytest.mark.parametrize(("marked", "state"), [(False, "confirmed"), (True, "externally_shipped(marked_at_cratejoy)")])
def test_a_parcel_that_left_after_a_cancel_needs_no_person_once_the_shop_wants_it_again(make_bridge, marked, state):
    bridge = make_bridge()
    bridge.go_live()
    bridge.one = bridge.sell()
    bridge.search()
    bridge.control("pick", order_number=bridge.box(bridge.one).order_number)
    cancel(bridge)
    bridge.ship(bridge.one)
    bridge.wait(15 * MINUTE)
    bridge.do("shipments", bridge.one, "uncancel")  # no hook says so
    if marked:
        bridge.do("shipments", bridge.one, "ship", tracking_number="BYHAND")
    bridge.wait(5 * MINUTE)
    bridge.wait(DAY)

    assert (bridge.state(bridge.one), bridge.shipment(bridge.one)["emails"]) == (state, 1)


def test_a_person_has_the_tracking_of_a_cancelled_box_written_or_not(away):
    away.control("pick", order_number=away.box(away.one).order_number)
    cancel(away)
    away.ship(away.one)
    away.wait(15 * MINUTE)
    away.requests().decide(away.box(away.one).order_number, "ignore")
    away.wait(DAY)

    assert away.state(away.one) == "shipped_after_cancel(seen_by_person)"


def test_a_cancel_that_races_the_shipping_finds_the_parcel(away):
    away.ship(away.one)
    cancel(away)
    away.wait(15 * MINUTE)

    assert away.state(away.one) == "shipped_after_cancel(parcel_after_cancel)"


def test_a_cancel_while_the_outcome_is_unknown_waits_for_it(bridge):
    bridge.one = bridge.sell()
    bridge.fault(match="POST /cartrover", drop_after_commit=True)
    bridge.search()
    assert bridge.state(bridge.one) == "unknown"
    cancel(bridge)
    waiting = bridge.box(bridge.one)
    bridge.wait(2 * MINUTE)

    assert (waiting.state.value, waiting.is_cancel_wanted) == ("unknown", True)
    assert bridge.state(bridge.one) == "cancelled(cancelled_at_cratejoy)"


def test_a_cancel_while_the_order_never_arrived_sends_nothing(bridge):
    bridge.one = bridge.sell()
    bridge.fault(match="POST /cartrover", drop_before_commit=True)
    bridge.search()
    cancel(bridge)
    for _ in range(4):
        bridge.wait(6 * MINUTE)

    assert (bridge.state(bridge.one), bridge.sent()) == ("cancelled(cancelled_before_sending)", [])


def test_what_cratejoy_wants_again_is_held_and_goes_out_under_a_new_number(away):
    cancel(away)
    away.settle()
    away.do("shipments", away.one, "uncancel")
    away.hint(("shipment", away.one))
    held = away.state(away.one)
    number = away.box(away.one).order_number
    away.requests().resend(number)
    away.settle()

    assert held == "held(uncancelled)"
    assert (away.box(away.one).order_number, away.state(away.one)) == (f"{number}-R1", "at_warehouse")


def test_a_shop_that_wants_no_cancels_sent_is_asked_to_cancel_by_hand(make_bridge):
    bridge = make_bridge(send_cancel="no")
    bridge.go_live()
    bridge.one = bridge.sell()
    bridge.search()
    cancel(bridge)

    assert bridge.state(bridge.one) == "cancel_refused(unsupported)"


def test_a_box_that_the_warehouse_cancelled_by_itself_is_for_a_person_until_it_is_sent_again(away):
    number = away.box(away.one).order_number
    away.control("cancel_at_warehouse", order_number=number)
    away.wait(15 * MINUTE)
    away.wait(DAY)
    cancelled = away.state(away.one)
    away.requests().resend(number)

    assert cancelled == "cancelled_at_warehouse(cancelled_by_warehouse)"
    with reading(away.engine) as conn:
        again = find_newest_order(conn, away.store_id, away.one)
        assert (again.order_number, again.due_at is None) == (f"{number}-R1", False)
        assert list_boxes_for_people(conn, away.store_id) == []


@every_adapter
def test_a_worker_that_is_killed_after_the_cancel_asks_again_and_finds_it_cancelled(away):
    away.do("shipments", away.one, "cancel")
    away.kill("after", "cancel", lane="cancels")
    assert away.state(away.one) == "cancel_requested"
    away.settle()
    away.wait(HOUR)

    assert away.state(away.one) == "cancelled(cancelled_at_cratejoy)"


def test_an_etag_that_changes_before_the_cancel_is_read_again(make_bridge):
    bridge = make_bridge("extensiv_3pl")
    bridge.go_live()
    bridge.one = bridge.sell()
    bridge.search()
    bridge.fault(match="POST /3pl/orders/*/canceler", touch=True)
    cancel(bridge)
    bridge.settle()

    assert bridge.state(bridge.one) == "cancelled(cancelled_at_cratejoy)"
