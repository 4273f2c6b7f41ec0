"""What comes back: tracking, its confirmation at Cratejoy once, and what must not be confirmed; over real HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select

from pipeline.core.fulfilment import Package, State
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.fulfilment.quarantine import quarantine_packages
from pipeline.ledger.fulfilment.warehouses import save_warehouse
from pipeline.ledger.schema.fulfilment import FulfilmentEvent, FulfilmentOrder, FulfilmentOrderLink, QuarantinedTracking
from tests.pipeline.fulfilment.bridge import DAY, HOUR, MINUTE
from tests.pipeline.ledger.rows import add_store

PACKAGES = [
    {"tracking_number": "TEST1", "carrier": "USPS", "method": "Priority"},
    {"tracking_number": "TEST2", "carrier": "USPS", "method": "Priority"},
]


@pytest.fixture
def away(bridge):
    """A bridge with one box at the warehouse."""
    bridge.one = bridge.sell()
    bridge.search()
    assert bridge.state(bridge.one) == "at_warehouse"
    return bridge


def emails(bridge, shipment):
    seen = bridge.shipment(shipment)
    return seen["emails"], seen["shipped_puts"]


# 10. Tracking of a number that is not known.
def test_tracking_of_an_unknown_number_is_kept_apart_and_not_acknowledged(bridge):
    bridge.control("orders", order_number="SUB-424242", lines=[{"sku": "X", "quantity": 1}])
    bridge.control("ship", order_number="SUB-424242", packages=PACKAGES[:1])
    bridge.wait(15 * MINUTE)

    assert bridge.quarantined() == ["TEST1"]
    (order,) = [one for one in bridge.sent() if one["order_number"] == "SUB-424242"]
    assert not order["is_confirmed"]


def test_tracking_that_came_before_its_box_was_known_is_confirmed_then(away):
    """A ledger that was restored from a backup does not know of the box that it has sent."""
    with writing(away.engine) as conn:
        conn.execute(delete(FulfilmentEvent))
        conn.execute(delete(FulfilmentOrderLink))
        conn.execute(delete(FulfilmentOrder))
    away.control("ship", order_number=f"SUB-{away.one}", packages=PACKAGES[:1])
    away.run("tracking")
    apart = away.quarantined()
    away.search()
    away.wait(15 * MINUTE)

    assert (apart, away.quarantined()) == (["TEST1"], [])
    assert (away.state(away.one), emails(away, away.one), len(away.sent())) == ("confirmed", (1, 1), 1)


def test_tracking_of_another_shop_is_only_counted(bridge):
    bridge.control("orders", order_number="WEB/1001", lines=[{"sku": "X", "quantity": 1}])
    bridge.control("ship", order_number="WEB/1001", packages=PACKAGES[:1])
    bridge.wait(15 * MINUTE)

    assert bridge.quarantined() == []


@pytest.mark.parametrize("number", ["1001", "9{shipment}"])
def test_tracking_of_a_number_that_the_shop_cannot_have_is_only_counted(away, number):
    foreign = number.format(shipment=away.one)
    away.control("orders", order_number=foreign, lines=[{"sku": "X", "quantity": 1}])
    away.control("ship", order_number=foreign, packages=PACKAGES[:1])
    away.wait(15 * MINUTE)

    assert away.quarantined() == []


def test_tracking_of_a_number_between_those_of_the_shop_is_kept_apart(away):
    away.control("orders", order_number=str(away.one + 1), lines=[{"sku": "X", "quantity": 1}])
    away.control("ship", order_number=str(away.one + 1), packages=PACKAGES[:1])
    away.wait(15 * MINUTE)

    assert away.quarantined() == ["TEST1"]


def test_tracking_of_another_shop_of_the_same_warehouse_is_only_counted(away):
    with writing(away.engine) as conn:
        other = add_store(conn, "other-box").id
        save_warehouse(conn, other, "cartrover", b"", away.clock())
        insert_order(conn, NewOrder(other, 424242, "SUB-424242", "subscription", "adhoc", State.AT_WAREHOUSE), 0)
    away.control("orders", order_number="SUB-424242", lines=[{"sku": "X", "quantity": 1}])
    away.control("ship", order_number="SUB-424242", packages=PACKAGES[:1])
    away.wait(15 * MINUTE)

    assert away.quarantined() == []


def test_a_box_is_found_for_its_tracking_behind_many_of_no_box(away):
    with writing(away.engine) as conn:
        quarantine_packages(conn, away.store_id, "SUB-1", [Package("TEST1")], 0, is_complete=True)
        row = conn.execute(select(QuarantinedTracking.__table__)).one()._asdict()
        del row["id"]
        numbers = [*range(424_242, 425_300), away.one]
        conn.execute(insert(QuarantinedTracking), [row | {"order_number": f"SUB-{number}"} for number in numbers])
    away.wait(15 * MINUTE)

    assert away.state(away.one) == "confirmed"


def test_tracking_of_a_box_that_was_never_sent_is_kept_apart(bridge):
    bridge.set(reject_unmapped_ship_codes="yes")
    shipment = bridge.sell()
    bridge.search()
    assert bridge.state(shipment) == "held(unmapped_ship_code)"
    bridge.control("orders", order_number=f"SUB-{shipment}", lines=[{"sku": "X", "quantity": 1}])
    bridge.control("ship", order_number=f"SUB-{shipment}", packages=PACKAGES[:1])
    bridge.wait(15 * MINUTE)

    assert (bridge.state(shipment), bridge.quarantined()) == ("held(unmapped_ship_code)", ["TEST1"])


def test_a_box_with_which_the_warehouse_has_an_error_is_put_before_a_person_with_the_reason(away):
    away.control("hold", order_number=away.box(away.one).order_number, reason="Item not found in WMS: BOX")
    away.wait(15 * MINUTE)

    box = away.box(away.one)
    assert (box.state.value, box.notice, box.notice_at is not None) == ("at_warehouse", "stopped_at_warehouse", True)
    with reading(away.engine) as conn:
        last = list_order_events(conn, [box.id])[-1]
    assert (last.kind, last.detail["answer"]) == ("warehouse_stopped", "Item not found in WMS: BOX")


# 11. Two packages; partial shipping.
def test_a_box_that_left_in_part_waits_for_the_rest(away):
    away.ship(away.one, packages=PACKAGES[:1], complete=False)
    away.wait(15 * MINUTE)
    partly = away.state(away.one)
    away.ship(away.one, packages=PACKAGES[1:], complete=True)
    away.wait(15 * MINUTE)

    assert (partly, away.state(away.one)) == ("partially_shipped", "confirmed")
    assert emails(away, away.one) == (1, 1)


def test_the_first_parcel_is_confirmed_if_the_settings_say_so(make_bridge):
    bridge = make_bridge(partial_policy="first_package")
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    bridge.ship(shipment, packages=PACKAGES[:1], complete=False)
    bridge.wait(15 * MINUTE)
    first = bridge.state(shipment)
    bridge.ship(shipment, packages=PACKAGES[1:], complete=True)
    bridge.wait(15 * MINUTE)

    assert (first, bridge.state(shipment)) == ("confirmed", "confirmed")
    assert emails(bridge, shipment) == (1, 1)
    assert bridge.shipment(shipment)["tracking_number"] == "TEST1"


def test_a_box_of_which_more_has_left_than_was_ordered_is_complete(away):
    """The Cart API then says that -4 pieces are left to ship."""
    (line,) = away.box(away.one).lines
    over = {**PACKAGES[0], "lines": [{"sku": line["sku"], "quantity": line["quantity"] + 4}]}
    away.ship(away.one, packages=[over])
    away.wait(15 * MINUTE)

    assert (away.state(away.one), emails(away, away.one)) == ("confirmed", (1, 1))


# 12. The PUT is done, and its answer is lost.
def test_a_confirmation_whose_answer_was_lost_mails_the_customer_once(away):
    away.store.fault(prefix="/v1/shipments/", method="PUT", drop_after_commit=True, times=1)
    away.ship(away.one, packages=PACKAGES[:1])
    away.wait(15 * MINUTE)
    lost = away.state(away.one)
    away.wait(2 * MINUTE)

    assert (lost, away.state(away.one)) == ("shipped", "confirmed")
    assert emails(away, away.one) == (1, 1)


def test_a_worker_that_is_killed_while_it_confirms_mails_the_customer_once(away):
    away.ship(away.one, packages=PACKAGES[:1])
    away.skip(15 * MINUTE)
    away.run("tracking")
    away.kill("after", "PUT", lane="confirm")
    assert away.state(away.one) == "confirming"
    away.wait(11 * MINUTE)

    assert (away.state(away.one), emails(away, away.one)) == ("confirmed", (1, 1))


def test_an_acknowledgement_that_fails_never_takes_the_confirmation_back(away):
    away.fault(match="POST /cartrover/v1/cart/orders/update", status=500, times=1)
    away.ship(away.one, packages=PACKAGES[:1])
    away.wait(15 * MINUTE)
    confirmed = away.box(away.one)
    away.wait(20 * MINUTE)

    assert (confirmed.state.value, confirmed.acknowledge_at is None) == ("confirmed", False)
    assert away.box(away.one).acknowledge_at is None
    assert emails(away, away.one) == (1, 1)


def test_a_crash_before_the_acknowledgement_only_offers_it_again(away):
    away.ship(away.one, packages=PACKAGES[:1])
    away.skip(15 * MINUTE)
    away.run("tracking")
    away.kill("before", "acknowledge", lane="confirm")
    away.wait(16 * MINUTE)

    assert (away.state(away.one), emails(away, away.one)) == ("confirmed", (1, 1))
    assert away.box(away.one).acknowledge_at is None


@pytest.mark.parametrize(
    ("settings", "how", "waits_as"),
    [
        ({}, {}, "shipped"),
        ({"partial_policy": "first_package"}, {"packages": PACKAGES[:1], "complete": False}, "partially_shipped"),
    ],
)
def test_cratejoy_is_written_to_some_hours_after_the_parcel_left(make_bridge, settings, how, waits_as):
    bridge = make_bridge(confirm_after_s="6", **settings)
    bridge.go_live()
    shipment = bridge.sell()
    bridge.search()
    bridge.ship(shipment, **how)
    bridge.wait(15 * MINUTE)
    before = bridge.state(shipment)
    bridge.wait(6 * HOUR)

    assert (before, bridge.state(shipment)) == (waits_as, "confirmed")


# 17. Echoes, and boxes that were marked by hand.
def test_the_echo_of_our_own_confirmation_changes_nothing(away):
    away.ship(away.one)
    away.wait(15 * MINUTE)
    away.hint(("shipment", away.one))
    away.settle()

    assert (away.state(away.one), emails(away, away.one)) == ("confirmed", (1, 1))


def test_a_box_that_was_marked_as_shipped_by_hand_is_seen(away):
    away.do("shipments", away.one, "ship", tracking_number="BYHAND")
    away.hint(("shipment", away.one))
    away.settle()

    assert away.state(away.one) == "externally_shipped(marked_at_cratejoy)"


def test_a_box_that_was_marked_by_hand_before_it_was_sent_is_left_out(bridge):
    shipment = bridge.sell(target=bridge.iso(20 * DAY))
    bridge.hint(("shipment", shipment))
    bridge.do("shipments", shipment, "ship", tracking_number="BYHAND")
    bridge.hint(("shipment", shipment))
    bridge.settle()

    assert (bridge.state(shipment), bridge.sent()) == ("skipped(already_shipped)", [])


def test_another_tracking_number_at_cratejoy_is_never_overwritten(away):
    away.ship(away.one, packages=PACKAGES[:1])
    away.do("shipments", away.one, "ship", tracking_number="BYHAND")
    away.wait(15 * MINUTE)

    assert away.state(away.one).startswith("externally_shipped")
    assert away.shipment(away.one)["tracking_number"] == "BYHAND"


def test_a_changed_address_after_the_sending_is_reported(away):
    away.do("shipments", away.one, "address", street="99 New Street")
    away.hint(("shipment", away.one))

    assert (away.state(away.one), away.box(away.one).notice) == ("at_warehouse", "address_changed")


def test_a_second_change_has_a_notice_of_its_own_and_the_first_comes_back_until_it_is_put_away(away):
    number, notices = away.box(away.one).order_number, []
    for act, given in (("move", {"target": away.iso(20 * DAY)}), ("address", {"street": "9 Other Street"})):
        away.do("shipments", away.one, act, **given)
        away.hint(("shipment", away.one))
        notices.append(away.box(away.one).notice)
    for _ in range(2):
        away.requests().dismiss_notice(number)
        row = away.box(away.one)
        notices.append(row.notice if row.notice_at is not None else None)
        away.hint(("shipment", away.one))

    assert notices == ["date_moved", "address_changed", "date_moved", None]
    assert away.box(away.one).notice_at is None


def test_a_changed_address_whose_hook_was_lost_is_reported_when_the_parcel_has_left(away):
    away.do("shipments", away.one, "address", street="2 Other Street")
    away.ship(away.one)
    away.wait(15 * MINUTE)

    assert (away.state(away.one), away.box(away.one).notice) == ("confirmed", "address_changed")


def test_a_changed_address_before_the_sending_is_used(bridge):
    bridge.set(reject_unmapped_ship_codes="yes")
    shipment = bridge.sell()
    bridge.search()
    bridge.do("shipments", shipment, "address", street="99 New Street")
    bridge.set(ship_code_map="SUBSCRIPTION=FLAT")
    bridge.settle()
    (order,) = bridge.sent(shipment)

    assert order["received"]["ship_address_1"].casefold() == "99 new street"
