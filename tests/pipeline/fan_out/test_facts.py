"""What an event teaches about its customer and the recipient of its gift."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.customers import find_customer
from pipeline.fan_out.facts import (
    FactSource,
    customer_facts,
    recipient_facts,
)
from pipeline.fan_out.gifts import Gift
from tests.builders import BUYER, NOW, RECIPIENT, customer, order, shipment, subscription, transaction

GIFT = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")


def source(event, data, gift=None, at=NOW, *, is_test=False):
    row = EVENTS[event]
    return FactSource(row, data, identify_event(row, data, "f" * 64, at), gift, is_test)


def learned(event, data, gift=None, *, is_test=False):
    """The fields of every fact of the event's customer, by kind and subject."""
    row = EVENTS[event]
    facts = customer_facts(source(event, data, gift, is_test=is_test), find_customer(row, data))
    return {(fact.kind, fact.subject): dict(fact.fields) for fact in facts}


def about(data, event="order_new", gift=None):
    return learned(event, data, gift)["customer", ""]


ORDER = {
    "placed_at": "2026-03-02T17:04:31Z",
    "status": "open",
    "financial_status": "paid",
    "total": 3495,
    "refunded_amount": 0,
    "is_renewal": False,
    "is_gift": False,
}
CUSTOMER = {
    "first_name": "Bea",
    "last_name": "Buyer",
    "name": "Bea Buyer",
    "country": "US",
    "real": True,
    "email": BUYER["email"],
    "region": "TX",
}
SUBSCRIPTION = {
    "status": "active",
    "start_date": "2026-03-02T17:04:31Z",
    "end_date": "2026-04-15T00:00:00Z",
    "autorenew": True,
    "plan": "Month to Month",
    "box": "Sample Box",
    "term_months": 1,
}


def test_an_order_teaches_its_customer_and_itself():
    assert learned("order_new", order()) == {("customer", ""): CUSTOMER, ("order", "7015"): ORDER}


def test_a_subscription_teaches_its_customer_its_plan_and_its_state():
    assert learned("subscription_new", subscription()) == {
        ("customer", ""): CUSTOMER,
        ("subscription", "7021"): SUBSCRIPTION,
    }


def test_a_shipment_teaches_where_its_box_is():
    facts = learned("shipment_shipped", shipment(carrier_name="ups"))

    assert facts["shipment", "7033"] == {
        "status": "shipped",
        "shipped_at": "2026-03-03T17:05:30Z",
        "tracking_number": "9400100",
        "tracking_url": "https://www.ups.com/track?tracknum=9400100",
    }


def test_a_box_that_cannot_be_followed_has_no_link():
    assert "tracking_url" not in learned("shipment_shipped", shipment())["shipment", "7033"]


def test_a_captured_transaction_clears_the_failed_payment():
    assert learned("transaction_new", transaction()) == {
        ("customer", ""): CUSTOMER,
        ("order", "7015"): ORDER,
        ("payment", ""): {"failed": False},
    }


def test_a_failed_transaction_marks_the_payment_and_stores_no_order():
    assert learned("transaction_new", transaction(result="failed")) == {
        ("customer", ""): CUSTOMER,
        ("payment", ""): {"failed": True, "failed_at": "2026-03-02T17:04:33Z"},
    }


def test_a_transaction_that_is_neither_captured_nor_failed_says_nothing_of_payments():
    assert learned("transaction_new", transaction(result="refunded")).keys() == {("customer", ""), ("order", "7015")}


def test_a_result_outside_a_transaction_says_nothing_of_payments():
    assert ("payment", "") not in learned("order_new", order(transaction={"result": "failed"}))


def test_the_order_of_a_failed_checkout_is_no_fact():
    assert learned("checkout_failed", {"order": order()}).keys() == {("customer", "")}


@pytest.mark.parametrize(
    ("event", "news"),
    [
        ("subscription_cancelled", {"cancelled_at": "2026-03-02T16:46:40Z"}),
        ("subscription_renewed", {"renewed:2026-04-15T00:00:00Z": True}),
        ("subscription_renew_failed", {"failed:subscription_renew_failed:7021:2026-04-15T00:00:00Z@20514": True}),
        ("subscription_updated", {}),
    ],
)
def test_each_renewal_failure_and_cancellation_is_a_field_of_its_own(event, news):
    assert learned(event, subscription())["subscription", "7021"] == SUBSCRIPTION | news


@pytest.mark.parametrize(
    ("event", "payment"),
    [
        ("subscription_renewed", {"failed": False}),
        ("subscription_renew_failed", {"failed": True, "failed_at": "2026-03-02T16:46:40Z"}),
    ],
)
def test_a_renewal_says_how_the_payment_went(event, payment):
    assert learned(event, subscription())["payment", ""] == payment


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("order_new", order(id=None)),
        ("subscription_new", subscription(id=None)),
        ("shipment_shipped", shipment(id=None)),
    ],
)
def test_what_has_no_id_is_no_fact(event, data):
    assert learned(event, data).keys() == {("customer", "")}


def test_a_subscription_without_term_and_product_teaches_neither():
    fields = learned("subscription_new", subscription(term=None, product=None))["subscription", "7021"]

    assert fields.keys() == {"status", "start_date", "end_date", "autorenew"}


@pytest.mark.parametrize(
    ("gift", "is_marked"), [(GIFT, True), (Gift(RECIPIENT, is_redeemed=True), False), (None, False)]
)
def test_the_giver_of_a_subscription_gave_it(gift, is_marked):
    fields = learned("subscription_updated", subscription(), gift)["subscription", "7021"]

    assert fields.get("is_gift", False) is is_marked


@pytest.mark.parametrize("card", ["order_gift_info", "sent_gift"])
def test_an_order_with_a_card_is_a_gift_whatever_its_mark_says(card):
    assert learned("order_new", order(**{card: {"message": "Hi"}}))["order", "7015"] == ORDER | {"is_gift": True}


def test_an_order_that_redeems_a_gift_is_marked():
    assert learned("order_new", order(received_gift={"id": 1}))["order", "7015"] == ORDER | {"redeemed": True}


def test_a_body_of_test_mode_marks_its_customer():
    facts = learned("order_new", order(), is_test=True)["customer", ""]

    assert (facts.get("test"), facts.get("real")) == (True, None)


def test_a_registration_is_dated():
    assert about(customer(), "customer_new")["registered_at"] == "2026-03-02T16:46:40Z"


def test_the_stores_own_state_and_counters_are_taken_over():
    body = customer(subscription_status="active", num_orders=0, num_subscriptions=2, total_revenue=5)

    assert about(body, "billing_updated") == CUSTOMER | {
        "store_subscription_status": "active",
        "num_orders": 0,
        "num_subscriptions": 2,
        "total_revenue": 5,
    }


def test_a_customer_without_an_address_has_no_email_fact():
    assert "email" not in about(order(customer=customer(email=None)))


@pytest.mark.parametrize(
    ("gift", "is_recipient"),
    [
        (Gift(RECIPIENT, is_redeemed=True), True),
        (Gift(BUYER["email"]), True),
        (Gift(RECIPIENT), False),
        (Gift(None), False),
        (None, False),
    ],
    ids=["redeemed", "given to oneself", "given", "without an address", "no gift"],
)
def test_a_customer_is_a_recipient_if_the_gift_is_theirs(gift, is_recipient):
    assert about(order(), gift=gift).get("gift_recipient", False) is is_recipient


def test_a_gift_without_an_address_is_not_that_of_a_customer_without_one():
    assert "gift_recipient" not in about(order(customer=customer(email=None)), gift=Gift(None))


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"location": "Austin, TX, US"}, {"region": "Austin, TX"}),
        ({"location": "US"}, {}),
        ({"location": " , US"}, {}),
        ({"location": None}, {}),
        (
            {"addresses": [{"state": "OR", "city": "Portland", "phone_number": "555"}]},
            {"region": "OR", "city": "Portland", "phone": "555"},
        ),
        ({"addresses": ["/v1/addresses/1", {"city": "Salem", "state": ""}, {"city": "Bend"}]}, {"city": "Salem"}),
        ({"addresses": "/"}, {"region": "TX"}),
    ],
)
def test_the_place_is_that_of_the_first_address_or_the_region_of_the_location(more, place):
    fields = about(customer(**more), "billing_updated")

    assert {key: fields[key] for key in ("region", "city", "phone") if key in fields} == place


def facts_of_recipient(event, data, gift):
    return [
        (fact.kind, fact.subject, dict(fact.fields)) for fact in recipient_facts(source(event, data), gift, "order:1")
    ]


def test_a_gift_teaches_its_recipient_the_two_names():
    assert facts_of_recipient("order_new", order(), GIFT) == [
        ("customer", "", {"real": True}),
        ("gift_received", "order:1", {"giver_first_name": "Bea", "name": "Rory Receiver"}),
    ]


def test_a_gift_without_names_is_known_all_the_same():
    assert facts_of_recipient("order_new", order(), Gift(RECIPIENT))[1] == ("gift_received", "order:1", {"known": True})


@pytest.mark.parametrize(
    ("number", "kinds"), [(7033, ["customer", "gift_received", "shipment"]), (None, ["customer", "gift_received"])]
)
def test_a_recipient_learns_of_a_box_with_an_id(number, kinds):
    facts = facts_of_recipient("shipment_shipped", shipment(id=number), GIFT)

    assert [kind for kind, *_ in facts] == kinds
