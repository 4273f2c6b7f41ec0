"""Who an event is about, however its body says it."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.customers import Customer, find_customer, get_fulfillments, get_orders
from schemas.email import is_email, normalize_email
from tests.builders import BUYER, customer, order, shipment, transaction

EMAIL = BUYER["email"]


def found(event, data):
    who = find_customer(EVENTS[event], data)
    return None if who is None else (who.id, who.email)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("order_new", order()),
        ("customer_new", customer()),
        ("shipment_shipped", shipment()),
        ("transaction_new", transaction()),
        ("transaction_new", {"transaction": {"id": 1}, "customer": customer()}),
        ("checkout_failed", {"customer": customer(), "order": {"id": None}}),
        ("checkout_failed", {"order": order()}),
        ("shipment_shipped", {"id": 1, "fulfillments": [{"id": 2, "order": order()}]}),
    ],
)
def test_the_customer_is_found_where_the_body_has_them(event, data):
    assert found(event, data) == (7001, EMAIL)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("order_new", {"id": 1, "customer_id": 7001}),
        ("order_new", {"id": 1, "customer": {"id": 7001, "link": "/v1/customers/7001"}}),
        ("transaction_new", {"transaction": {"id": 1}, "order": {"id": 1, "customer_id": 7001}}),
        ("shipment_shipped", {"id": 1, "customer_id": 7001, "fulfillments": "/v1/x"}),
    ],
)
def test_a_bare_id_is_enough(event, data):
    assert found(event, data) == (7001, None)


def test_an_address_may_stand_beside_the_id():
    data = {"id": 1, "fulfillments": [{"order": order()}], "customer": {"id": 7001, "link": "/v1/customers/7001"}}

    assert found("shipment_shipped", data) == (7001, EMAIL)


def test_an_address_without_an_id_is_enough():
    assert found("checkout_failed", {"customer": {"email": EMAIL}, "order": {"id": None}}) == (None, EMAIL)


@pytest.mark.parametrize("data", [{"id": 1}, {"id": 1, "customer": None}, {"id": 1, "customer": {}}])
def test_a_body_without_a_customer_concerns_no_known_person(data):
    assert found("order_new", data) is None


@pytest.mark.parametrize("event", ["inventory_updated", "design_updated"])
def test_an_event_about_no_person_concerns_no_person(event):
    assert found(event, {"customer": customer()}) is None


def test_a_customers_own_id_is_not_taken_for_another_customers():
    assert found("customer_new", {"email": EMAIL, "customer_id": 5}) == (None, EMAIL)


@pytest.mark.parametrize(
    "address",
    ["a@b.co", "first.last+tag@mail.example.com", "ü@exämple.org", "o'hara@example.com", "a" * 138 + "@example.com"],
)
def test_what_can_be_an_address(address):
    assert is_email(normalize_email(address))


def test_a_customer_whose_address_is_none_is_known_by_id_and_said_to_have_a_malformed_one():
    who = find_customer(EVENTS["customer_new"], customer(email="bea@example..com"))

    assert (who.id, who.email, who.has_malformed_email) == (7001, None, True)


@pytest.mark.parametrize("data", [customer(), customer(email=None)])
def test_an_address_that_is_right_or_absent_is_not_malformed(data):
    assert find_customer(EVENTS["customer_new"], data).has_malformed_email is False


@pytest.mark.parametrize(
    "text",
    [
        *(None, 7, "", "a", "@", "a@b", "a@b.c", "a b@example.com", "a@@example.com", "a@example.com, b@example.com"),
        *("<a@example.com>", "a@example.com;", "a@exam ple.com", "a@example.com\n", "a" * 139 + "@example.com"),
    ],
)
def test_what_cannot_be_an_address(text):
    assert not is_email(text)


@pytest.mark.parametrize(
    ("event", "data", "ids"),
    [
        ("order_new", order(), [7015]),
        ("transaction_new", transaction(), [7015]),
        ("shipment_shipped", {"fulfillments": [{"order": {"id": 1}}, {"order": "/v1/orders/2"}, "/v1/x"]}, [1]),
        ("customer_new", customer(), []),
    ],
)
def test_the_orders_a_body_shows(event, data, ids):
    assert [one["id"] for one in get_orders(EVENTS[event], data)] == ids


@pytest.mark.parametrize("number", ["7001", None, {"id": 7001}])
def test_a_bare_id_that_is_no_number_names_no_customer(number):
    assert found("order_new", {"id": 1, "customer_id": number}) is None


def test_the_customers_own_id_counts_before_the_one_beside_them():
    assert found("order_new", {"id": 1, "customer": {"id": 7001}, "customer_id": 5}) == (7001, None)


def test_an_email_without_an_id_is_completed_by_the_id_beside_it():
    assert found("order_new", {"id": 1, "customer": {"email": EMAIL}, "customer_id": 7001}) == (7001, EMAIL)


def test_the_fields_are_those_of_the_first_model_that_names_a_customer():
    data = {"customer": {"first_name": "No"}, "order": order()}

    assert find_customer(EVENTS["checkout_failed"], data) == Customer(7001, EMAIL, customer())


def test_an_email_alone_names_a_customer_before_an_id_elsewhere():
    data = {"customer": {"email": EMAIL}, "order": {"customer": {"id": 5}}}

    assert find_customer(EVENTS["checkout_failed"], data) == Customer(None, EMAIL, {"email": EMAIL})


def test_a_customer_with_an_id_of_zero_is_a_model_with_a_name():
    data = {"customer": {"id": 0, "first_name": "Zero"}, "order": order(customer=None)}

    assert find_customer(EVENTS["checkout_failed"], data).fields == {"id": 0, "first_name": "Zero"}


def test_a_customer_named_only_by_a_bare_id_has_no_fields():
    assert find_customer(EVENTS["order_new"], {"id": 1, "customer_id": 7001}) == Customer(7001, None, {})


def test_the_bare_id_of_the_first_order_counts():
    boxes = [{"order": {"id": 1, "customer_id": 7001}}, {"order": {"id": 2, "customer_id": 7002}}]

    assert found("shipment_shipped", {"id": 1, "fulfillments": boxes}) == (7001, None)


@pytest.mark.parametrize("fulfillments", ["/v1/fulfillments", None, []])
def test_a_shipment_whose_fulfilments_are_no_models_shows_none(fulfillments):
    assert get_fulfillments({"id": 1, "fulfillments": fulfillments}) == []
