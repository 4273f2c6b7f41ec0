"""What an event says on a platform, to the customer and to a gift recipient."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.gifts import Gift
from pipeline.fan_out.payloads import build_customer_payload, build_recipient_payload
from tests.builders import RECIPIENT, customer, order, shipment, subscription, transaction

GIFT = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")


def customer_copy(event, data):
    return build_customer_payload(EVENTS[event], data, "acme", "USD")


def recipient_copy(event, data):
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
def test_a_customer_gets_the_whole_model_under_its_name(event, data, name):
    copy = customer_copy(event, data)

    assert copy[name] == data
    assert (copy["subject"], copy["subject_id"], copy["store"], copy["role"]) == (name, data["id"], "acme", "customer")


def test_a_body_of_several_models_keeps_their_names():
    copy = customer_copy("transaction_new", transaction())

    assert (copy["subject_id"], copy["transaction"]["id"], copy["order"]["id"]) == (7041, 7041, 7015)


def test_a_recipient_reads_the_card():
    assert recipient_copy("order_new", order())["gift"] == {
        "message": "Enjoy!",
        "recipient_name": "Rory Receiver",
        "giver_first_name": "Bea",
    }


@pytest.mark.parametrize("event", sorted(name for name, row in EVENTS.items() if row.gift_copy))
def test_every_event_with_a_gift_copy_has_one_even_of_an_empty_body(event):
    copy = recipient_copy(event, {"id": 1})

    assert copy[EVENTS[event].subject] == {"id": 1}
    assert (copy["role"], copy["is_gift"]) == ("gift_recipient", True)


@pytest.mark.parametrize("data", [order(customer_email="x@example.com", zodiac="leo"), order(ship_address={"x": 1})])
def test_a_key_that_is_not_allowed_never_reaches_a_recipient(data):
    allowed = {"id", "status", "placed_at", "is_renewal", "is_gift", "is_test", "type", "products"}

    assert recipient_copy("order_new", data)["order"].keys() <= allowed


def test_products_of_an_order_are_listed_by_name():
    listed = [{"id": 1, "name": "Box", "sku": "S", "price": 3495}, "/v1/products/2"]

    assert recipient_copy("order_new", order(products=listed))["order"]["products"] == [
        {"id": 1, "name": "Box", "sku": "S"}
    ]


def test_a_subscription_says_how_many_boxes_there_will_be():
    assert recipient_copy("subscription_new", subscription(term={"num_cycles": 3}))["subscription"]["boxes"] == 3


@pytest.mark.parametrize(("status", "is_shown"), [("active", True), ("cancelled", True), ("past_due", False)])
def test_a_status_that_reveals_the_givers_payment_is_left_out(status, is_shown):
    assert ("status" in recipient_copy("subscription_updated", subscription(status=status))["subscription"]) is is_shown


def test_boxes_are_numbered_from_one():
    box = {"id": 1, "cycle_number": 0, "total_cycles": 3, "product_instance": {"product": {"id": 62, "name": "Box"}}}

    assert recipient_copy("shipment_shipped", shipment(fulfillments=[box]))["shipment"]["boxes"] == [
        {"number": 1, "of": 3, "id": 62, "name": "Box"}
    ]


def test_a_box_may_name_its_product_itself():
    box = {"id": 1, "product_instance": {"id": 63, "name": "Red Box", "price": 3495}}

    assert recipient_copy("shipment_shipped", shipment(fulfillments=[box]))["shipment"]["boxes"] == [
        {"id": 63, "name": "Red Box"}
    ]


def test_a_customers_payload_is_the_model_and_what_it_is_about():
    assert customer_copy("order_new", order()) == {
        "subject": "order",
        "subject_id": 7015,
        "store": "acme",
        "role": "customer",
        "currency": "USD",
        "order": order(),
    }


def test_a_customers_payload_of_several_models_is_all_of_them():
    assert customer_copy("transaction_new", transaction()) == transaction() | {
        "subject": "transaction",
        "subject_id": 7041,
        "store": "acme",
        "role": "customer",
        "currency": "USD",
    }


def test_a_payload_without_a_subject_is_the_whole_body():
    assert customer_copy("design_updated", {"theme_name": "x"}) == {
        "subject": None,
        "subject_id": None,
        "store": "acme",
        "role": "customer",
        "currency": "USD",
        "theme_name": "x",
    }


CARD = {"message": "Enjoy!", "recipient_name": "Rory Receiver", "giver_first_name": "Bea"}
COMMON = {"store": "acme", "role": "gift_recipient", "is_gift": True, "gift": CARD}


def test_a_recipients_payload_of_an_order_is_what_is_allowed():
    shown = {
        "id": 7015,
        "status": "open",
        "placed_at": "2026-03-02T17:04:31Z",
        "is_renewal": False,
        "is_gift": False,
        "is_test": False,
        "type": "order",
    }

    assert recipient_copy("order_new", order()) == COMMON | {"subject": "order", "subject_id": 7015, "order": shown}


def test_a_recipients_payload_of_a_subscription_is_what_is_allowed():
    shown = {
        "id": 7021,
        "start_date": "2026-03-02T17:04:31Z",
        "end_date": "2026-04-15T00:00:00Z",
        "is_test": False,
        "type": "subscription",
        "status": "active",
        "product": {"id": 62, "name": "Sample Box", "sku": "SQ1"},
        "boxes": 1,
    }

    assert recipient_copy("subscription_new", subscription()) == COMMON | {
        "subject": "subscription",
        "subject_id": 7021,
        "boxes": [{"product_id": 62, "name": "Sample Box", "sku": "SQ1"}],
        "subscription": shown,
    }


def test_a_recipients_payload_of_a_shipment_is_what_is_allowed():
    shown = {
        "id": 7033,
        "status": "shipped",
        "tracking_number": "9400100",
        "shipped_at": "2026-03-03T17:05:30Z",
        "is_test": False,
        "type": "shipment",
        "boxes": [{"number": 1, "of": 3}],
    }

    assert recipient_copy("shipment_shipped", shipment()) == COMMON | {
        "subject": "shipment",
        "subject_id": 7033,
        "boxes": [{"number": 1, "of": 3}],
        "shipment": shown,
    }


@pytest.mark.parametrize(
    ("event", "model", "name", "keys"),
    [
        ("order_new", order(fulfillment_status="open"), "order", "fulfillment_status"),
        ("shipment_shipped", shipment(adjusted_ordered_at="2026-03-02T00:00:00Z"), "shipment", "adjusted_ordered_at"),
    ],
)
def test_a_rarer_field_is_shown_where_the_body_has_it(event, model, name, keys):
    assert recipient_copy(event, model)[name][keys] == model[keys]


def test_the_last_state_a_recipient_learns_is_that_it_expired():
    assert recipient_copy("subscription_updated", subscription(status="expired"))["subscription"]["status"] == "expired"


@pytest.mark.parametrize("more", [{"product": "/v1/products/62"}, {"product": None}])
def test_a_product_that_is_no_model_is_left_out(more):
    assert "product" not in recipient_copy("subscription_new", subscription(**more))["subscription"]


@pytest.mark.parametrize("more", [{"term": None}, {"term": {"num_cycles": None}}, {"term": {}}])
def test_without_a_number_of_boxes_none_is_said(more):
    assert "boxes" not in recipient_copy("subscription_new", subscription(**more))["subscription"]


@pytest.mark.parametrize(
    ("box", "shown"),
    [
        ({"cycle_number": 2, "total_cycles": 3}, {"number": 3, "of": 3}),
        ({"cycle_number": -1, "total_cycles": 3}, {}),
        ({"cycle_number": "0", "total_cycles": 3}, {}),
        ({"product_instance": "/v1/x"}, {}),
        ({"product_instance": {"id": 63, "sku": "R"}}, {"id": 63, "sku": "R"}),
        ({"product_instance": {"id": 63, "product": {"id": 62, "name": "Box"}}}, {"id": 62, "name": "Box"}),
    ],
)
def test_a_box_shows_its_number_and_its_product(box, shown):
    assert recipient_copy("shipment_shipped", shipment(fulfillments=[box]))["shipment"]["boxes"] == [shown]


def test_a_shipment_without_boxes_shows_none():
    assert "boxes" not in recipient_copy("shipment_shipped", shipment(fulfillments=[]))["shipment"]
