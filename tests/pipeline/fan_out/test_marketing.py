"""Whether a customer accepts marketing is read wherever a customer stands, and becomes an attribute."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import API_OBJECTS, EVENTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import merge_fact
from pipeline.fan_out.plan import plan_event
from schemas.loading import load
from tests.builders import HOUR, NOW, customer, order, shipment, subscription, transaction

ASKED = customer(accepts_marketing=False)
SHORT = {"id": 7001, "accepts_marketing": True}
ROWS = {**EVENTS, **{row.name: row for row in API_OBJECTS.values()}}


def attribute(*hooks):
    """The attribute after these hooks, each an hour after the one before."""
    known = {}
    for hour, (name, data) in enumerate(hooks):
        at = NOW + hour * HOUR
        row = ROWS[name]
        for person in plan_event(row, data, identify_event(row, data, f"{at:064d}", at), {}, "acme", "USD").people:
            for fact in person.facts:
                merge_fact(known, fact, at)
    return build_attributes(known, "acme", "USD", ConsentRules("forward")).get("accepts_marketing"), known


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("customer_new", ASKED),
        ("address_updated", ASKED),
        ("customer_listed", ASKED),
        ("order_new", order(customer=ASKED)),
        ("order_listed", order(customer=ASKED)),
        ("order_new", order(subscriptions=[{"id": 7021, "customer": ASKED}])),
        ("subscription_new", subscription(customer=ASKED)),
        ("subscription_listed", subscription(customer=ASKED)),
        ("subscription_renewed", subscription(orders=[order(customer=ASKED)])),
        ("subscription_new", subscription(subscription_gift_info={"gift_sender": ASKED})),
        ("shipment_shipped", shipment(customer=ASKED)),
        ("shipment_shipped", shipment(fulfillments=[{"order": order(customer=ASKED)}])),
        ("shipment_shipped", shipment(subscriptions=[subscription(customer=ASKED)])),
        ("transaction_new", {**transaction(), "order": order(customer=ASKED)}),
        ("transaction_new", {**transaction(), "customer": ASKED}),
        ("checkout_failed", {"customer": ASKED, "order": order()}),
    ],
)
def test_it_is_read_wherever_the_customer_stands(name, data):
    assert attribute((name, data))[0] is False


def test_it_is_absent_while_the_store_does_not_ask():
    assert attribute(("order_new", order()))[0] is None


def test_a_form_of_another_customer_says_nothing_about_this_one():
    other = customer(id=7999, email="other@example.com", accepts_marketing=True)

    assert attribute(("order_new", order(subscriptions=[{"id": 7021, "customer": other}])))[0] is None


def test_a_body_that_does_not_say_it_changes_nothing():
    said = attribute(
        ("customer_new", ASKED), ("order_new", order()), ("customer_new", customer(accepts_marketing=None))
    )

    assert said[0] is False


def test_the_newest_word_counts():
    assert attribute(("customer_new", ASKED), ("order_new", order(customer=SHORT)))[0] is True


def test_the_fact_says_when_it_was_reported_and_by_what():
    _, known = attribute(("order_new", order(customer=SHORT)))

    assert known["customer", ""]["accepts_marketing"] == [NOW, {"value": True, "from": "order_new"}]


@pytest.mark.parametrize(
    ("sent", "read"),
    [(True, True), ("True", True), ("true", True), ("1", True), (1, True), ("False", False), (0, False), (None, None)],
    ids=repr,
)
def test_every_spelling_is_read(sent, read):
    loaded = load("customer", {"id": 7001, "accepts_marketing": sent}, strict=())

    assert (loaded.data["accepts_marketing"], loaded.unreadable) == (read, {})


def test_what_cannot_be_read_is_set_aside_with_its_path():
    loaded = load("order", order(customer=customer(accepts_marketing="perhaps")), strict=())

    assert loaded.unreadable == {"customer.accepts_marketing": ["is not true or false"]}
    assert attribute(("order_new", loaded.data))[0] is None
