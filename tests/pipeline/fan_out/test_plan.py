"""Who an event is about, what each of them is sent, and what is noted."""

from __future__ import annotations

import json

import pytest

from pipeline.events.catalogue import EVENTS, get_event_row
from pipeline.events.identity import identify_event
from pipeline.fan_out.gifts import Gift, find_gift_subjects, read_gift
from pipeline.fan_out.plan import plan_event
from tests.builders import (
    BUYER,
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


def plan(name, data, memory=None):
    row = get_event_row(name)
    return plan_event(row, data, identify_event(row, data, "f" * 64, NOW), memory or {}, "acme", "USD")


def roles(found):
    return [(one.role, one.email) for one in found.people]


GIVEN = {("subscription", 7021): Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")}
BOTH = [("customer", BUYER["email"]), ("gift_recipient", RECIPIENT)]


def test_an_order_concerns_its_customer():
    assert roles(plan("order_new", order())) == [("customer", BUYER["email"])]


@pytest.mark.parametrize("name", ["order_new", "order_updated"])
def test_a_gift_order_reaches_giver_and_recipient(name):
    assert roles(plan(name, gift_order())) == BOTH


def test_a_gift_subscription_reaches_giver_and_recipient():
    sender = {"first_name": "Bea", "last_name": "Buyer", "email": BUYER["email"]}
    body = subscription(subscription_gift_info=gift_info(gift_sender=sender))
    assert roles(plan("subscription_new", body)) == BOTH


@pytest.mark.parametrize(
    "name", [name for name, row in EVENTS.items() if row.subject == "subscription" and row.gift_copy]
)
def test_later_events_of_a_gift_subscription_reach_the_recipient_though_the_body_names_none(name):
    assert roles(plan(name, subscription(), GIVEN)) == BOTH


def test_a_box_of_a_gift_reaches_the_recipient_by_its_subscription():
    assert roles(plan("shipment_shipped", shipment(), GIVEN)) == BOTH


def test_a_box_of_a_gift_reaches_the_recipient_by_its_order():
    body = shipment(fulfillments=[{"id": 1, "subscription_id": None, "order": {"id": 7015}}])
    assert roles(plan("shipment_shipped", body, {("order", 7015): Gift(RECIPIENT)})) == BOTH


def test_a_box_whose_relations_are_links_reaches_the_recipient_if_the_box_is_remembered():
    body = shipment(customer={"id": 7001, "link": "/v1/customers/7001"}, links={"fulfillments": "/v1/x"})
    del body["fulfillments"]
    found = plan("shipment_cancelled", body, {("shipment", 7033): Gift(RECIPIENT)})
    assert [(one.role, one.customer_id, one.email) for one in found.people] == [
        ("customer", 7001, None),
        ("gift_recipient", None, RECIPIENT),
    ]


@pytest.mark.parametrize("name", ["customer_new", "address_updated", "billing_updated"])
def test_what_concerns_an_account_concerns_its_customer_alone(name):
    assert roles(plan(name, customer())) == [("customer", BUYER["email"])]


def test_money_is_the_givers_affair():
    body = transaction()
    body["order"] = gift_order()
    assert roles(plan("transaction_new", body)) == [("customer", BUYER["email"])]


def test_a_failed_checkout_is_the_buyers_affair():
    body = {"customer": customer(), "order": {"id": None, "is_gift": True, "order_gift_info": gift_info()}}
    assert roles(plan("checkout_failed", body)) == [("customer", BUYER["email"])]


@pytest.mark.parametrize("name", ["design_updated", "inventory_updated", "something_new"])
def test_an_event_about_no_person_has_no_people_and_no_notes(name):
    found = plan(name, {"theme_name": "x", "inventory": {"id": 5}})
    assert (found.people, found.notes) == ((), ())


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (None, "recipient_email_missing"),
        ("not an address", "recipient_email_malformed"),
        ("two@@example.com", "recipient_email_malformed"),
        ("nodot@example", "recipient_email_malformed"),
        (BUYER["email"], "recipient_is_buyer"),
    ],
)
def test_a_gift_without_a_usable_address_has_no_recipient_and_says_why(address, code):
    found = plan("order_new", gift_order(order_gift_info=gift_info(gift_recipient_email=address)))
    assert roles(found) == [("customer", BUYER["email"])]
    assert found.notes == ({"code": code},)


def test_a_gift_of_generation_two_may_have_only_a_message():
    found = plan("order_new", order(is_gift=True, order_gift_info=None, gift_message="Hello"))
    assert found.notes == ({"code": "recipient_email_missing"},)


def test_an_order_with_only_a_message_finds_the_address_at_its_subscription():
    body = order(is_gift=True, order_gift_info={"gift_message": "Hi"}, subscriptions=[{"id": 7021}])
    assert roles(plan("order_new", body, GIVEN)) == BOTH


def test_the_person_who_redeems_a_gift_is_its_recipient_and_its_customer():
    received = {"id": 7075, "email": "bea.buyer@example.com", "message": "Enjoy!", "status": 3}
    found = plan("order_new", order(total=0, received_gift=received))
    about = next(fact for fact in found.people[0].facts if fact.kind == "customer")
    assert roles(found) == [("customer", BUYER["email"])]
    assert about.fields["gift_recipient"] is True


def test_a_gift_bought_before_it_is_redeemed_reaches_the_address_it_was_sent_to():
    assert roles(plan("order_new", order(sent_gift={"email": RECIPIENT, "message": "Hi"}))) == BOTH


def test_a_customer_without_a_usable_address_keeps_the_id():
    found = plan("order_new", order(customer=customer(email="nonsense")))
    assert [(one.customer_id, one.email) for one in found.people] == [(7001, None)]


def test_a_body_without_a_customer_leads_to_them_by_their_order():
    found = plan("transaction_new", {"transaction": {"id": 1}, "order": {"id": 7015}})
    assert [(one.customer_id, one.email, one.subjects) for one in found.people] == [(None, None, (("order", 7015),))]


@pytest.mark.parametrize(
    "body",
    [
        order(is_test=True),
        {"transaction": {"id": 1, "is_test": True}},
        {"order": order(is_test=True), "transaction": {"id": 1}},
        shipment(fulfillments=[{"id": 1, "test": True}]),
    ],
)
def test_a_test_object_is_known_wherever_the_mark_stands(body):
    name = "transaction_new" if "transaction" in body else "shipment_shipped" if "fulfillments" in body else "order_new"
    assert plan(name, body).is_test


FORBIDDEN = ("price", "total", "amount", "revenue", "tax", "fee", "credit", "discount", "refund")


def keys_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("order_new", gift_order(total_shipping=500, credit_applied=1, products=[{"name": "Box", "price": 100}])),
        ("subscription_new", subscription(subscription_gift_info=gift_info(), credit=5, product_instance={"price": 9})),
        ("shipment_shipped", shipment(is_gift=True, ship_address={"street": "1 Elm St"}, labels=[{"cost": 500}])),
    ],
)
def test_a_recipients_copy_has_no_price_no_address_and_only_the_first_name_of_the_giver(name, body):
    copy = plan(name, body, GIVEN).people[1].data
    text = json.dumps(copy)
    assert not [key for key in keys_of(copy) if any(word in key for word in FORBIDDEN)]
    assert not [private for private in ("Buyer", BUYER["email"], "Elm") if private in text]
    assert copy["gift"]["giver_first_name"] == "Bea"


def test_a_recipient_learns_nothing_about_the_givers_payment():
    copy = plan("subscription_renew_failed", subscription(status="past_due"), GIVEN).people[1].data
    assert "past_due" not in json.dumps(copy)


def test_both_copies_name_the_subject_by_its_id():
    assert [one.data["subject_id"] for one in plan("order_new", gift_order()).people] == [7015, 7015]


def test_a_staffs_extra_box_has_no_number():
    body = shipment(fulfillments=[{"id": 1, "subscription_id": 7021, "cycle_number": -1, "total_cycles": -1}])
    assert plan("shipment_shipped", body, GIVEN).people[1].data["shipment"]["boxes"] == [{}]


def test_a_parcel_shared_by_two_subscriptions_is_remembered_only_as_itself():
    shared = [{"id": 1, "subscription_id": 7021}, {"id": 2, "subscription_id": 7099}]
    row, gift = EVENTS["shipment_shipped"], Gift(RECIPIENT)
    assert find_gift_subjects(row, shipment(fulfillments=shared), gift) == (("shipment", 7033),)


def test_a_gift_order_is_remembered_with_its_subscriptions():
    body = gift_order(subscriptions=[{"id": 7021}])
    gift = read_gift(EVENTS["order_new"], body)
    assert find_gift_subjects(EVENTS["order_new"], body, gift) == (("order", 7015), ("subscription", 7021))


def test_only_the_giver_gets_the_payment_that_renews_a_gift():
    body = order(id=7016, is_renewal=True, subscriptions=[{"id": 7021}])
    assert roles(plan("order_updated", body, GIVEN)) == [("customer", BUYER["email"])]


def test_a_failed_checkout_is_not_remembered_as_a_gift():
    body = {"order": {"id": 7015, "order_gift_info": gift_info()}}
    assert find_gift_subjects(EVENTS["checkout_failed"], body, Gift(RECIPIENT)) == ()
