"""A person's attributes after hooks, in the order of their life and in any other."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events.catalogue import get_event_row
from pipeline.events.identity import identify_event
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import merge_fact, newest_time_us
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.plan import plan_event
from tests.builders import (
    HOUR,
    NOW,
    RECIPIENT,
    customer,
    gift_info,
    gift_order,
    order,
    shipment,
    subscription,
    transaction,
)

FORWARD_ALL = ConsentRules("forward")
GIVEN = {("subscription", 7021): Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")}


def learn(known, name, data, at=NOW, role="customer"):
    row = get_event_row(name)
    found = plan_event(row, data, identify_event(row, data, f"{at:064d}", at), GIVEN, "acme", "USD")
    for person in found.people:
        if person.role == role:
            for fact in person.facts:
                merge_fact(known, fact, at)


def profile(*hooks, role="customer"):
    known = {}
    for hour, (name, data) in enumerate(hooks):
        learn(known, name, data, NOW + hour * HOUR, role)
    return build_attributes(known, "acme", "USD", FORWARD_ALL)


HISTORY = [
    ("customer_new", customer(num_orders=0, total_revenue=0)),
    ("order_new", order()),
    ("transaction_new", transaction()),
    ("subscription_new", subscription()),
    ("shipment_shipped", shipment()),
    ("subscription_renew_failed", subscription(status="past_due")),
    ("subscription_renewed", subscription(end_date="2026-05-15T00:00:00Z")),
    ("order_new", order(id=7016, is_renewal=True, placed_at="2026-04-15T08:00:00Z", total=2000)),
    ("address_updated", customer(addresses=[{"state": "OR", "city": "Portland", "phone_number": "5550100"}])),
    ("order_new", gift_order(id=7018, total=1000)),
    ("order_updated", order(id=7016, refunded_amount=500, total=2000)),
    ("subscription_cancelled", subscription(status="cancelled", autorenew=False, end_date="2026-05-15T00:00:00Z")),
]


def test_a_first_order_shows_who_and_how_much():
    found = profile(("order_new", order()))
    assert found == {
        "email": "bea.buyer@example.com",
        "first_name": "Bea",
        "last_name": "Buyer",
        "country": "US",
        "region": "TX",
        "order_count": 1,
        "lifetime_value": 3495,
        "average_order_value": 3495,
        "currency": "USD",
        "first_order_at": 1772471071,
        "last_order_at": 1772471071,
        "created_at": 1772471071,
        "store": "acme",
        "source": "cratejoy",
        "is_test": False,
    }


def test_a_running_subscription_shows_its_plan_and_its_next_renewal():
    found = profile(("subscription_new", subscription()))
    hooks = {name: found[name] for name in found if name.startswith(("subscription", "active", "next", "is_pre"))}
    assert hooks == {
        "subscription_status": "active",
        "subscription_count": 1,
        "active_subscription_count": 1,
        "subscription_plan": "Month to Month",
        "subscription_box": "Sample Box",
        "subscription_term_months": 1,
        "is_prepaid": False,
        "subscription_started_at": 1772471071,
        "next_renewal_at": 1776211200,
    }


def test_a_subscription_that_does_not_renew_has_no_next_renewal():
    assert "next_renewal_at" not in profile(("subscription_new", subscription(autorenew=False)))


def test_a_cancelled_prepaid_subscription_shows_until_when_boxes_are_due():
    found = profile(
        ("subscription_new", subscription(term={"name": "3 Month Prepay", "num_cycles": 3})),
        ("subscription_cancelled", subscription(status="cancelled", term={"num_cycles": 3})),
    )
    assert (found["subscription_status"], found["is_prepaid"], found["active_subscription_count"]) == (
        "cancelled",
        True,
        0,
    )
    assert (found["subscription_ends_at"], found["subscription_cancelled_at"]) == (
        1776211200,
        (NOW + HOUR) // 1_000_000,
    )


def test_one_running_subscription_outweighs_a_cancelled_one():
    found = profile(
        ("subscription_cancelled", subscription(id=1, status="cancelled")), ("subscription_new", subscription(id=2))
    )
    assert (found["subscription_status"], found["subscription_count"]) == ("active", 2)


def test_a_failed_renewal_marks_the_payment_and_the_renewal_clears_it():
    failed = ("subscription_renew_failed", subscription(status="past_due"))
    renewed = ("subscription_renewed", subscription(end_date="2026-05-15T00:00:00Z"))
    assert profile(failed)["payment_failed"] is True
    found = profile(failed, renewed)
    assert (found["payment_failed"], found["failed_renewal_count"], found["renewal_count"]) == (False, 1, 1)


def test_a_renewal_that_is_reported_twice_counts_once():
    renewed = ("subscription_renewed", subscription(end_date="2026-05-15T00:00:00Z"))
    assert profile(renewed, renewed)["renewal_count"] == 1


def test_a_refund_lowers_the_value_and_an_unpaid_order_has_none():
    found = profile(
        ("order_new", order(total=1000)),
        ("order_updated", order(total=1000, refunded_amount=400)),
        ("order_new", order(id=2, financial_status="unpaid")),
    )
    assert (found["lifetime_value"], found["order_count"]) == (600, 1)


def test_the_stores_own_counters_count_what_happened_before_the_connection():
    found = profile(("customer_new", customer(num_orders=9, total_revenue=90_000)), ("order_new", order()))
    assert (found["order_count"], found["lifetime_value"]) == (9, 90_000)


def test_the_order_of_a_failed_checkout_is_not_counted():
    assert "order_count" not in profile(("checkout_failed", {"customer": customer(), "order": {"id": 5, "total": 100}}))


def test_shipped_boxes_are_counted_and_the_last_one_can_be_followed():
    label = {"carrier": "USPS", "tracking": "9400100"}
    cancelled = shipment(id=2, status="cancelled", shipped_at=None)
    found = profile(("shipment_shipped", shipment(labels=[label])), ("shipment_cancelled", cancelled))
    assert (found["boxes_shipped"], found["last_shipped_at"]) == (1, 1772557530)
    assert found["last_tracking_url"] == "https://tools.usps.com/go/TrackConfirmAction?tLabels=9400100"


def test_a_link_in_the_body_beats_the_carriers_page():
    body = shipment(tracking_link="https://track.example.com/1", carrier_name="UPS")
    assert profile(("shipment_shipped", body))["last_tracking_url"] == "https://track.example.com/1"


def test_a_number_without_a_known_carrier_has_no_link():
    assert "last_tracking_url" not in profile(("shipment_shipped", shipment()))


def test_a_giver_is_counted_once_per_gift_though_order_and_subscription_show_it():
    found = profile(("order_new", gift_order()), ("subscription_new", subscription(subscription_gift_info=gift_info())))
    assert (found["gift_giver"], found["gifts_sent_count"]) == (True, 1)


def test_a_recipient_is_marked_and_knows_the_giver_by_first_name():
    found = profile(("order_new", gift_order()), ("shipment_shipped", shipment()), role="gift_recipient")
    assert found == {
        "first_name": "Rory",
        "last_name": "Receiver",
        "gift_recipient": True,
        "gift_sender_first_name": "Bea",
        "boxes_shipped": 1,
        "last_shipped_at": 1772557530,
        "last_tracking_number": "9400100",
        "store": "acme",
        "source": "cratejoy",
        "is_test": False,
    }


def test_a_person_known_only_from_test_objects_is_a_test_person():
    assert profile(("order_new", order(is_test=True)))["is_test"] is True
    assert profile(("order_new", order(is_test=True)), ("order_new", order(id=2)))["is_test"] is False


def test_an_absent_field_overwrites_no_knowledge():
    short = {"id": 7001, "email": "bea.buyer@example.com", "last_name": None}
    assert profile(("customer_new", customer()), ("billing_updated", short))["last_name"] == "Buyer"


def test_the_newest_name_wins():
    found = profile(("customer_new", customer()), ("billing_updated", customer(first_name="Beatrice")))
    assert found["first_name"] == "Beatrice"


@settings(max_examples=200, deadline=None)
@given(st.integers())
def test_any_order_of_processing_gives_the_same_profile(seed):
    hooks = [(name, data, NOW + hour * HOUR) for hour, (name, data) in enumerate(HISTORY)]
    shuffled = random.Random(seed).sample(hooks + hooks[:3], len(hooks) + 3)  # some of it twice
    known = {}
    for name, data, at in shuffled:
        learn(known, name, data, at)
    assert build_attributes(known, "acme", "USD", FORWARD_ALL) == profile(*HISTORY)
    assert newest_time_us(known) == NOW + (len(HISTORY) - 1) * HOUR


def test_facts_of_the_same_moment_are_settled_by_their_value():
    one, other = {}, {}
    first, second = customer(first_name="Ann"), customer(first_name="Zoe")
    for known, bodies in ((one, (first, second)), (other, (second, first))):
        for body in bodies:
            learn(known, "customer_new", body)
    assert build_attributes(one, "acme", "USD", FORWARD_ALL) == build_attributes(other, "acme", "USD", FORWARD_ALL)


def test_an_empty_text_is_no_value():
    assert "city" not in build_attributes(
        {("customer", ""): {"city": [NOW, ""], "email": [NOW, RECIPIENT]}}, "acme", "USD", FORWARD_ALL
    )
