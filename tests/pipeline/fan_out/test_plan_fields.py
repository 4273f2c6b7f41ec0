"""Every field of a plan."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS, get_event_row
from pipeline.events.identity import identify_event
from pipeline.fan_out.customers import find_customer
from pipeline.fan_out.facts import FactSource, customer_facts, recipient_facts
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.payloads import build_customer_payload, build_recipient_payload
from pipeline.fan_out.plan import AffectedPerson, Plan, is_test, plan_event
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_order, order, shipment, transaction

GIFT = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")


def plan(name, data, known=None):
    row = get_event_row(name)
    return plan_event(row, data, identify_event(row, data, "f" * 64, NOW), known or {}, "acme", "USD")


@pytest.mark.parametrize("is_of_test_mode", [False, True])
def test_the_plan_of_a_gift_order_is_both_people_with_all_their_fields(is_of_test_mode):
    row, data = EVENTS["order_new"], gift_order(is_test=is_of_test_mode)
    source = FactSource(row, data, identify_event(row, data, "f" * 64, NOW), GIFT, is_of_test_mode)
    marks = {"is_gift": True, "is_test": is_of_test_mode}
    buyer = AffectedPerson(
        *("customer", 7001, BUYER["email"], (("order", 7015),)),
        build_customer_payload(row, data, "acme", "USD") | marks,
        tuple(customer_facts(source, find_customer(row, data))),
    )
    recipient = AffectedPerson(
        *("gift_recipient", None, RECIPIENT, ()),
        build_recipient_payload(row, data, "acme", GIFT) | marks,
        tuple(recipient_facts(source, GIFT, "order:7015")),
    )

    assert plan("order_new", data) == Plan(7015, is_of_test_mode, (buyer, recipient), (("order", 7015),), (), GIFT)


def test_an_order_that_is_no_gift_says_so():
    assert plan("order_new", order()).people[0].data["is_gift"] is False


def test_a_malformed_address_is_noted():
    found = plan("order_new", order(customer=customer(email="nonsense")))

    assert found.notes == ({"code": "email_malformed", "role": "customer"},)
    assert found.people[0].has_malformed_email is True


def test_a_malformed_address_and_a_missing_recipient_are_both_noted():
    found = plan("order_new", order(customer=customer(email="nonsense"), is_gift=True))

    assert [note["code"] for note in found.notes] == ["email_malformed", "recipient_email_missing"]


def test_a_redeemed_gift_has_no_other_recipient_and_needs_no_note():
    found = plan("order_new", order(received_gift={"email": RECIPIENT}))

    assert (len(found.people), found.notes) == (1, ())


def test_a_gift_without_a_buyer_reaches_its_recipient():
    found = plan("order_new", {"id": 7015}, {("order", 7015): GIFT})

    assert [person.email for person in found.people] == [None, RECIPIENT]


def test_a_gift_of_something_without_an_id_has_a_label_of_its_own():
    found = plan("order_new", gift_order(id=None))

    assert [fact.subject for fact in found.people[1].facts] == ["", "gift:0"]


@pytest.mark.parametrize(
    ("name", "data", "subject_id"),
    [
        ("order_new", order(), 7015),
        ("order_new", order(id="7015"), None),
        ("transaction_new", transaction(), 7041),
        ("design_updated", {"id": 5}, None),
        ("inventory_updated", {"id": 4, "inventory": {"id": 5}}, 5),
    ],
)
def test_a_plan_names_its_subject_by_a_number_or_not_at_all(name, data, subject_id):
    assert plan(name, data).subject_id == subject_id


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("order_new", order(is_test=True), True),
        ("customer_new", customer(test=True), True),
        ("transaction_new", {"transaction": {"is_test": True}}, True),
        ("transaction_new", {"transaction": {}, "order": {"is_test": True}}, True),
        ("transaction_new", {"transaction": {}, "order": {}, "is_test": True}, True),
        ("shipment_shipped", shipment(fulfillments=[{"id": 1}, {"is_test": True}]), True),
        ("shipment_shipped", shipment(fulfillments=[{"order": order(is_test=True)}]), True),
        ("transaction_new", {"transaction": "/v1/transactions/1"}, False),
        ("order_new", order(), False),
    ],
)
def test_a_body_is_of_test_mode_if_one_of_its_models_is(name, data, expected):
    assert is_test(EVENTS[name], data) is expected
