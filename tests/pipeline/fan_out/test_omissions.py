"""What is left out of a copy because it is of another person, or is an address."""

from __future__ import annotations

import json

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.omissions import (
    Omissions,
    apply_omissions,
    find_gifts_in,
    remove_address_attributes,
    remove_addresses,
)
from pipeline.fan_out.payloads import build_customer_payload
from tests.builders import RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription, transaction

HOME = {"to": "Rory Receiver", "street": "1 Home Street", "city": "Austin", "phone_number": "555 0100"}
WHOLE = gift_order(
    ship_address=HOME, bill_address=HOME, gift_message="Enjoy!", subscriptions=[subscription(address=HOME)], source=2
)
SECRETS = (RECIPIENT, "Rory", "Enjoy!", "Home Street", "555 0100", "bea.buyer@example.com")


def copy_of(event, data):
    return build_customer_payload(EVENTS[event], data, "acme", "USD") | {"is_gift": True, "is_test": False}


def test_the_recipient_is_left_out_of_the_buyers_copy():
    data = copy_of("order_new", {**WHOLE, "bill_address": None})

    left = json.dumps(apply_omissions("customer", data, Omissions(recipient=True)))

    assert [secret for secret in SECRETS[:-1] if secret in left] == []
    assert "bea.buyer@example.com" in left


def test_the_giver_is_left_out_of_the_recipients_copy():
    data = {"role": "gift_recipient", "gift": {"message": "Enjoy!", "recipient_name": "Rory", "giver_first_name": "B"}}

    left = apply_omissions("gift_recipient", data, Omissions(giver=True))

    assert left == {"role": "gift_recipient", "gift": {"recipient_name": "Rory"}}


@pytest.mark.parametrize("role", ["customer", "gift_recipient"])
def test_nothing_is_left_out_without_a_reason(role):
    assert apply_omissions(role, WHOLE, Omissions()) is WHOLE


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("order_new", WHOLE),
        ("subscription_new", subscription(address=HOME, subscription_gift_info=gift_info())),
        ("shipment_shipped", shipment(ship_address=HOME)),
        ("transaction_new", {**transaction(), "order": WHOLE}),
        ("checkout_failed", {"order": WHOLE, "customer": customer(addresses=[HOME])}),
        ("customer_new", customer(addresses=[HOME])),
        ("billing_updated", customer(addresses=[HOME])),
    ],
)
def test_a_copy_without_addresses_has_none_and_is_of_use(event, data):
    row = EVENTS[event]

    left = remove_addresses(row, copy_of(event, data), data)

    assert [secret for secret in SECRETS if secret in json.dumps(left)] == []
    assert (left["role"], left["store"]) == ("customer", "acme")
    assert left[{"checkout_failed": "order"}.get(event, str(row.subject))]


def test_the_attributes_that_are_an_address_are_left_out():
    whole = {
        "email": "a@example.com",
        "phone": "5",
        "city": "Austin",
        "region": "TX",
        "first_name": "A",
        "country": "US",
    }

    assert remove_address_attributes(whole) == {"first_name": "A", "country": "US"}


def test_every_gift_in_a_body_is_found_with_its_source():
    inner = order(source=1, order_gift_info=gift_info(gift_recipient_email="b@example.com"))
    body = customer(orders=[inner], subscriptions=[{"source": 2, "subscription_gift_info": gift_info()}])

    assert set(find_gifts_in(body)) == {("b@example.com", "1"), (RECIPIENT, "2")}


def test_a_gift_without_a_usable_address_is_found_too():
    assert list(find_gifts_in(order(sent_gift={"email": "nonsense"}))) == [(None, None)]
