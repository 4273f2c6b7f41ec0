from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.eligibility import judge
from pipeline.fulfilment.rules.order import evaluate
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.fulfilment.settings import FulfilmentSettings, ShipCode
from tests.pipeline.fulfilment.rules.boxes import (
    DAY_US,
    NOW,
    NUMBERING,
    SECOND_US,
    SETTINGS,
    address,
    at,
    body,
    item,
    one_off,
    order,
    read,
)

HOUR_US = 3600 * SECOND_US
AFTER_BATCH = {"batch": {"id": 5, "end": "2026-02-01T12:00:01Z"}}


def verdict(sent, settings: FulfilmentSettings = SETTINGS, *, is_whole=True, **more):
    made = judge(read(sent, is_whole=is_whole), settings, NOW, **more)
    return made.state, made.reason


def paid(word, **changes):
    return item(order=order(financial_status=word), **changes)


def subscribed(status):
    return item(order=order(subscriptions=[{"id": 70000001, "status": status}]))


ONLY_TEA = replace(SETTINGS, item_filter="allow", item_filter_skus=("TEA",))


@pytest.mark.parametrize(
    ("sent", "settings", "state", "reason"),
    [
        (body(), SETTINGS, "ready", ""),
        (one_off(), SETTINGS, "ready", ""),
        (body(status="cancelled"), SETTINGS, "skipped", "cancelled_before_load"),
        (body(status="shipped"), SETTINGS, "skipped", "already_shipped"),
        (body(status="4"), SETTINGS, "held", "unknown_status"),
        (body(is_test=True), SETTINGS, "skipped", "test_shipment"),
        (body(is_test=True), replace(SETTINGS, load_test_shipments=True), "ready", ""),
        (body(), replace(SETTINGS, pull_standard=False), "skipped", "type_disabled"),
        (body(billing_type="adhoc"), replace(SETTINGS, pull_adhoc=False), "skipped", "type_disabled"),
        (one_off(), replace(SETTINGS, pull_ecommerce=False), "skipped", "type_disabled"),
        # The end of the batch counts, not the place inside it.
        (body(adjusted_ordered_at="2025-12-20T00:00:00Z"), SETTINGS, "ready", ""),
        (body(), replace(SETTINGS, earliest_order_at=at("2026-02-01T00:00:00")), "skipped", "too_old"),
        (one_off(adjusted_ordered_at="2025-12-31T23:59:59Z"), SETTINGS, "skipped", "too_old"),
        (one_off(adjusted_ordered_at="2026-01-01T00:00:00Z"), SETTINGS, "ready", ""),
        (body(fulfillments=[]), SETTINGS, "held", "missing_lines"),
        (body(fulfillments=[item(status="cancelled")]), SETTINGS, "skipped", "all_lines_cancelled"),
        (body(fulfillments=[item(status="cancelled"), item(id=2)]), SETTINGS, "ready", ""),
        (body(), ONLY_TEA, "skipped", "all_lines_filtered"),
        (body(fulfillments=[item(instance={"id": 1})]), ONLY_TEA, "ready", ""),  # `build_order` holds it
        (body(batch=None), SETTINGS, "held", "batch_missing"),
        (body(batch={"id": 5}), SETTINGS, "held", "batch_missing"),
        (body(billing_type="adhoc", adjusted_ordered_at=None), SETTINGS, "held", "missing_date"),
        (one_off(adjusted_ordered_at=None), SETTINGS, "ready", ""),
        (body(billing_type=None, batch=None), SETTINGS, "discovered", "billing_type_unknown"),
        (body(**AFTER_BATCH), SETTINGS, "discovered", "not_due"),
        (body(fulfillments=[paid("unpaid")]), SETTINGS, "held", "unpaid"),
        (body(fulfillments=[paid("partially_refunded")]), SETTINGS, "held", "unpaid"),
        (body(fulfillments=[paid(None)]), SETTINGS, "held", "unpaid"),
        (body(fulfillments=[item(order=None)]), SETTINGS, "held", "unpaid"),
        (body(fulfillments=[item(), paid("refunded", id=2)]), SETTINGS, "held", "unpaid"),
        (body(fulfillments=[item(), paid("refunded", id=2, status="cancelled")]), SETTINGS, "ready", ""),
        (body(fulfillments=[subscribed("expired")]), SETTINGS, "held", "subscription_not_active"),
        (body(fulfillments=[subscribed(None)]), SETTINGS, "held", "subscription_not_active"),
        (body(fulfillments=[subscribed(2)]), SETTINGS, "ready", ""),
        (
            body(fulfillments=[subscribed("cancelled")]),
            replace(SETTINGS, require_active_subscription=False),
            "ready",
            "",
        ),
        # A one-off purchase is nothing of its buyer's subscription.
        (body(billing_type="ecom", fulfillments=[subscribed("cancelled")]), SETTINGS, "ready", ""),
        # Box 2 of 6 of a prepaid plan, whose order says that it is done.
        (
            body(fulfillments=[item(order=order(fulfillment_status="fulfilled", status="closed"))]),
            SETTINGS,
            "ready",
            "",
        ),
        # No person is asked about a box that is not due.
        (body(**AFTER_BATCH, fulfillments=[paid("unpaid")]), SETTINGS, "discovered", "not_due"),
    ],
)
def test_a_shipment_is_judged(sent, settings, state, reason):
    assert verdict(sent, settings) == (State(state), reason)


@pytest.mark.parametrize(
    ("days", "seconds", "state"), [(6, 0, "ready"), (7, 0, "ready"), (7, 1, "discovered"), (8, 0, "discovered")]
)
@pytest.mark.parametrize(("billing_type", "basis"), [("adhoc", "batch_end"), ("standard", "adjusted_ordered_at")])
def test_a_box_goes_seven_days_before_its_date(days, seconds, state, billing_type, basis):
    date = (NOW + days * DAY_US + seconds * SECOND_US) // 1000
    settings = replace(SETTINGS, standard_date_basis=basis)

    made = judge(read(body(billing_type=billing_type, adjusted_ordered_at=date)), settings, NOW)

    assert made.state is State(state)
    assert (made.target_at, made.due_at) == (date * 1000, date * 1000 - 7 * DAY_US)
    assert made.until == (made.due_at if state == "discovered" else None)


@pytest.mark.parametrize(("early_days", "state"), [(0, "discovered"), (1, "ready")])
def test_a_standard_box_goes_when_its_batch_ends_or_some_days_before(early_days, state):
    settings = replace(SETTINGS, standard_early_days=early_days)

    made = judge(read(body(**AFTER_BATCH)), settings, NOW)

    assert made.state is State(state)


def test_a_one_off_box_goes_at_once_whatever_its_date():
    made = judge(read(one_off(adjusted_ordered_at="2027-01-01T00:00:00Z")), SETTINGS, NOW)

    assert (made.state, made.due_at, made.target_at) == (State.READY, 0, at("2027-01-01T00:00:00"))


@pytest.mark.parametrize(
    ("changes", "wait_s"),
    [
        ({"is_renewal": False}, 2 * 3600),
        ({"is_renewal": True}, 48 * 3600),
    ],
)
def test_a_new_payment_cools_off(changes, wait_s):
    placed_at = NOW - (wait_s - 1) * SECOND_US
    sent = body(fulfillments=[item(order=order(placed_at=placed_at // 1000, **changes))])

    made = judge(read(sent), SETTINGS, NOW)
    later = judge(read(sent), SETTINGS, NOW + SECOND_US)

    assert (made.state, made.reason, made.until) == (State.DISCOVERED, "cooling_off", NOW + SECOND_US)
    assert later.state is State.READY


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({"created_at": (NOW - HOUR_US) // 1000}, NOW + HOUR_US),
        ({}, NOW + HOUR_US + 1),
    ],
)
def test_without_a_time_of_payment_the_shipments_creation_or_the_first_sight_counts(changes, until):
    sent = body(fulfillments=[item(order=order(placed_at=None))]) | changes

    made = judge(read(sent), SETTINGS, NOW, first_seen_at=NOW - HOUR_US + 1)

    assert (made.reason, made.until) == ("cooling_off", until)


def test_a_one_off_order_does_not_cool_off():
    sent = one_off()
    sent["fulfillments"][0]["order"]["placed_at"] = NOW // 1000

    assert verdict(sent) == (State.READY, "")


def test_a_list_that_shows_no_payment_holds_no_box_for_it():
    row = body(fulfillments=[item(order=order(financial_status=None, placed_at=None))])

    assert judge(read(row, is_whole=False), SETTINGS, NOW).state is State.READY


def test_a_list_that_shows_no_order_at_all_says_nothing_of_its_payment():
    assert verdict(body(fulfillments=[item(order=None)]), is_whole=False) == (State.READY, "")


def test_a_list_that_does_show_a_refund_is_believed():
    assert verdict(body(fulfillments=[paid("refunded")]), is_whole=False) == (State.HELD, "unpaid")


@pytest.mark.parametrize(
    ("sent", "settings", "reason"),
    [
        (body(fulfillments=[paid("unpaid")]), SETTINGS, "unpaid"),
        (body(fulfillments=[subscribed("expired")]), SETTINGS, "subscription_not_active"),
        (body(batch=None), SETTINGS, "batch_missing"),
        (body(is_test=True), SETTINGS, "test_shipment"),
        (body(**AFTER_BATCH), SETTINGS, "not_due"),
        (body(), replace(SETTINGS, pull_standard=False), "type_disabled"),
    ],
)
def test_a_person_overrules_one_reason_and_no_other(sent, settings, reason):
    assert verdict(sent, settings)[1] == reason
    assert verdict(sent, settings, released=[reason]) == (State.READY, "")
    assert verdict(sent | {"fulfillments": [item(status="cancelled")]}, settings, released=[reason])[1] != ""


@pytest.mark.parametrize("sent", [body(status="cancelled"), body(status="shipped"), body(fulfillments=[])])
def test_what_must_not_go_cannot_be_released(sent):
    assert verdict(sent, released=list(REASONS))[0] is not State.READY


@pytest.mark.parametrize(
    ("sent", "settings", "reason", "fields"),
    [
        (body(fulfillments=[item(instance={"id": 1})]), SETTINGS, "missing_sku", ("50000001",)),
        (body(sub_cycle=None), replace(SETTINGS, sku_suffix="cycle"), "missing_cycle", ("50000001",)),
        (body(), replace(SETTINGS, reject_unmapped_ship_codes=True), "unmapped_ship_code", ("SUBSCRIPTION",)),
        (body(ship_address=address(city="")), SETTINGS, "invalid_address", ("city",)),
    ],
)
def test_a_box_that_cannot_be_built_is_held(sent, settings, reason, fields):
    made = evaluate(read(sent), settings, NUMBERING, NOW)

    assert (made.verdict.state, made.verdict.reason) == (State.HELD, reason)
    assert made.hold is not None
    assert made.hold.fields == fields


def test_a_box_that_cools_off_is_held_now_for_what_a_person_has_to_mend():
    young = item(order=order(placed_at=NOW // 1000), instance={"id": 1})

    made = evaluate(read(body(fulfillments=[young])), SETTINGS, NUMBERING, NOW)

    assert (made.verdict.state, made.verdict.reason, made.verdict.until) == (State.HELD, "missing_sku", None)


def test_a_release_does_not_change_the_date_of_a_box_that_has_one():
    monthly = replace(SETTINGS, sku_suffix="yymm")
    sent = body(batch={"id": 5, "end": "2026-02-01T00:00:00Z"})

    released = evaluate(read(sent), monthly, NUMBERING, NOW, released=["batch_missing", "missing_date"])

    assert released.order is not None
    assert released.order.lines[0].sku == "BOX-2602"


def test_a_box_without_a_date_that_was_released_has_the_suffix_of_its_place_in_time():
    monthly = replace(SETTINGS, sku_suffix="yymm")

    held = evaluate(read(body(batch=None)), monthly, NUMBERING, NOW)
    released = evaluate(read(body(batch=None)), monthly, NUMBERING, NOW, released=["batch_missing"])

    assert held.verdict.reason == "batch_missing"
    assert released.verdict.state is State.READY
    assert released.order is not None
    assert released.order.lines[0].sku == "BOX-2601"


def test_a_box_that_waits_is_not_held_for_what_may_change_until_then():
    made = evaluate(read(body(**AFTER_BATCH, ship_address=None)), SETTINGS, NUMBERING, NOW)

    assert (made.verdict.state, made.verdict.reason) == (State.DISCOVERED, "not_due")


def test_a_list_without_streets_holds_nothing():
    row = read(body(ship_address=address(street=None)), is_whole=False)

    assert evaluate(row, SETTINGS, NUMBERING, NOW).verdict.state is State.READY


def test_an_unmapped_code_goes_on_when_it_is_mapped_or_released():
    strict = replace(SETTINGS, reject_unmapped_ship_codes=True)
    mapped = replace(strict, ship_code_map={"SUBSCRIPTION": ShipCode("Priority", "USPS")})

    released = evaluate(read(body()), strict, NUMBERING, NOW, released=["unmapped_ship_code"])
    found = evaluate(read(body()), mapped, NUMBERING, NOW)

    assert released.order is not None
    assert released.order.ship_code == "SUBSCRIPTION"
    assert found.order is not None
    assert (found.order.carrier, found.order.ship_code) == ("USPS", "Priority")
