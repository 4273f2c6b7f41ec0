"""One person is taken out of a body, and the other's data stays."""

from __future__ import annotations

import json

import pytest

from pipeline.events.catalogue import get_event_row
from pipeline.events.identity import identify_event
from pipeline.fan_out.plan import plan_event
from pipeline.redaction.body import find_redaction
from pipeline.redaction.identity import Identity
from tests.builders import NOW, RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription, transaction

BUYER_EMAIL = "bea.buyer@example.com"
BUYER = Identity(frozenset({BUYER_EMAIL}), frozenset({7001}))
RORY = Identity(frozenset({RECIPIENT}))
STREET = {"to": "Rory Receiver", "street": "12 Elm Street", "city": "Austin", "phone_number": "512-555-0100"}


def redact(event, data, who, **how):
    redaction = find_redaction(get_event_row(event), data, who, **how)
    return None if redaction is None else (redaction.part, redaction.apply(data))


def copies(event, data):
    row = get_event_row(event)
    return {
        person.role: person
        for person in plan_event(row, data, identify_event(row, data, "", NOW), {}, "acme", "USD").people
    }


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("customer_new", customer()),
        ("order_new", order()),
        ("order_new", order(customer=None, customer_id=7001)),
        ("order_new", gift_order(order_gift_info=gift_info(gift_recipient_email=None))),
        ("order_new", gift_order(order_gift_info=gift_info(gift_recipient_email=BUYER_EMAIL))),
        ("subscription_new", subscription()),
        ("shipment_shipped", shipment()),
        ("transaction_new", transaction()),
        ("a_new_kind_of_event", {"who": f"Bea <{BUYER_EMAIL.upper()}>"}),
    ],
)
def test_nothing_is_left_of_an_event_that_concerns_no_one_else(event, data):
    assert redact(event, data, BUYER) == ("whole", {})


def test_another_persons_event_is_not_touched():
    assert redact("order_new", gift_order(), Identity(frozenset({"else@example.com"}), frozenset({7002}))) is None


def test_an_order_that_names_only_itself_is_its_customers():
    data = shipment(customer=None)

    assert redact("shipment_shipped", data, Identity(bought=frozenset({("subscription", 7021)}))) == ("whole", {})


def test_an_erased_buyer_leaves_the_recipient_their_copy_without_the_giver():
    data = gift_order(
        ship_address=STREET,
        bill_address={"to": "Bea Buyer"},
        note="call Bea Buyer",
        products=[{"id": 1, "name": "Box"}],
    )
    part, left = redact("order_new", data, BUYER)
    before, after = (copies("order_new", body)["gift_recipient"].data for body in (data, left))

    assert part == "buyer"
    assert after == {**before, "gift": {**before["gift"], "giver_first_name": None}}


def test_an_erased_buyers_gift_still_says_that_it_is_of_the_marketplace():
    """Else its recipient's data would be sent, although the store withholds it."""
    _, left = redact("subscription_new", subscription(source=2, order=gift_order(source=1)), BUYER)
    _, order_left = redact("order_new", gift_order(source=1), BUYER)

    assert (left.get("source"), order_left["source"]) == (2, 1)


def test_nothing_of_an_erased_buyer_is_left():
    info = gift_info(gift_message="Happy birthday, love Bea", gift_sender=customer())
    data = gift_order(order_gift_info=info, bill_address={"to": "Bea Buyer", "street": "1 Oak Road"}, note=BUYER_EMAIL)
    _, left = redact("order_new", data, BUYER)

    assert [word for word in ("bea", "buyer", "oak", "texas", "tx, us") if word in json.dumps(left).lower()] == []
    assert RECIPIENT in json.dumps(left)


def test_nothing_of_an_erased_recipient_is_left():
    data = gift_order(ship_address=STREET, note="for RORY, at 12 elm street", gift_message="Dear Rory")
    part, left = redact("order_new", data, RORY)

    assert part == "recipient"
    assert [word for word in ("rory", "receiver", "elm", "512-555") if word in json.dumps(left).lower()] == []


def test_an_erased_recipient_leaves_the_buyer_their_copy():
    data = gift_order(bill_address={"to": "Bea Buyer", "street": "1 Oak Road"}, note="quickly")
    _, left = redact("order_new", data, RORY)

    assert left == {**data, "order_gift_info": {"id": 7017}}
    assert copies("order_new", left)["customer"].facts == copies("order_new", data)["customer"].facts


def test_a_buyer_of_the_same_family_name_keeps_their_own_name():
    data = gift_order(order_gift_info=gift_info(gift_recipient_name="Bob Buyer"))
    _, left = redact("order_new", data, RORY)

    assert left["customer"] == customer()


def test_a_recipient_whom_only_the_ledger_knows_takes_the_address_along():
    data = shipment(ship_address=STREET, labels=[{"carrier": "usps", "to": "Rory Receiver"}])
    who = Identity(frozenset({RECIPIENT}), names=frozenset({"Rory Receiver"}))
    part, left = redact("shipment_shipped", data, who, is_linked_recipient=True)

    assert part == "recipient"
    assert "Rory" not in json.dumps(left)
    assert left["customer"] == customer()


def test_a_mention_costs_only_the_text_that_contains_it():
    data = order(note=f"friend of {RECIPIENT}")

    assert redact("order_new", data, RORY) == ("mention", {**data, "note": None})


def test_redacting_twice_changes_nothing_more():
    for who in (BUYER, RORY):
        data = gift_order(ship_address=STREET)
        _, once = redact("order_new", data, who)

        assert redact("order_new", once, who) in (None, ("recipient", once), ("buyer", once))
