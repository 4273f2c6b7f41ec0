"""What an event says on a platform, to the customer and to a gift recipient."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.payloads import build_customer_payload, build_recipient_payload
from tests.builders import RECIPIENT, customer, order, shipment, subscription, transaction

GIFT = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")


def told(event, data):
    return build_customer_payload(EVENTS[event], data, "acme", "USD")


def whispered(event, data):
    return build_recipient_payload(EVENTS[event], data, "acme", GIFT)


@pytest.mark.parametrize(
    ("event", "data", "name"),
    [
        ("order_new", order(), "order"),
        ("customer_new", customer(), "customer"),
        ("subscription_new", subscription(), "subscription"),
        ("shipment_shipped", shipment(), "shipment"),
    ],
)
def test_a_customer_is_told_the_whole_model_under_its_name(event, data, name):
    copy = told(event, data)

    assert copy[name] == data
    assert (copy["subject"], copy["subject_id"], copy["store"], copy["role"]) == (name, data["id"], "acme", "customer")


def test_a_body_of_several_models_keeps_their_names():
    copy = told("transaction_new", transaction())

    assert (copy["subject_id"], copy["transaction"]["id"], copy["order"]["id"]) == (7041, 7041, 7015)


def test_a_recipient_reads_the_card():
    assert whispered("order_new", order())["gift"] == {
        "message": "Enjoy!",
        "recipient_name": "Rory Receiver",
        "giver_first_name": "Bea",
    }


@pytest.mark.parametrize("event", sorted(name for name, row in EVENTS.items() if row.gift_copy))
def test_every_event_a_recipient_hears_of_can_be_told_from_an_empty_body(event):
    copy = whispered(event, {"id": 1})

    assert copy[EVENTS[event].subject] == {"id": 1}
    assert (copy["role"], copy["is_gift"]) == ("gift_recipient", True)


@pytest.mark.parametrize("data", [order(customer_email="x@example.com", zodiac="leo"), order(ship_address={"x": 1})])
def test_a_key_nobody_has_allowed_never_reaches_a_recipient(data):
    allowed = {"id", "status", "placed_at", "is_renewal", "is_gift", "is_test", "type", "products"}

    assert whispered("order_new", data)["order"].keys() <= allowed


def test_products_of_an_order_are_told_by_name():
    listed = [{"id": 1, "name": "Box", "sku": "S", "price": 3495}, "/v1/products/2"]

    assert whispered("order_new", order(products=listed))["order"]["products"] == [{"id": 1, "name": "Box", "sku": "S"}]


def test_a_subscription_says_how_many_boxes_there_will_be():
    assert whispered("subscription_new", subscription(term={"num_cycles": 3}))["subscription"]["boxes"] == 3


@pytest.mark.parametrize(("status", "is_told"), [("active", True), ("cancelled", True), ("past_due", False)])
def test_how_the_givers_payment_goes_is_not_the_recipients_affair(status, is_told):
    assert ("status" in whispered("subscription_updated", subscription(status=status))["subscription"]) is is_told


def test_boxes_are_numbered_from_one():
    box = {"id": 1, "cycle_number": 0, "total_cycles": 3, "product_instance": {"product": {"id": 62, "name": "Box"}}}

    assert whispered("shipment_shipped", shipment(fulfillments=[box]))["shipment"]["boxes"] == [
        {"number": 1, "of": 3, "id": 62, "name": "Box"}
    ]


def test_a_box_may_name_its_product_itself():
    box = {"id": 1, "product_instance": {"id": 63, "name": "Red Box", "price": 3495}}

    assert whispered("shipment_shipped", shipment(fulfillments=[box]))["shipment"]["boxes"] == [
        {"id": 63, "name": "Red Box"}
    ]
