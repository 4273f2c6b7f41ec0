"""Whose gift an event is about: what a body says, and what is known from earlier bodies."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.gifts import Gift, find_gift, find_gift_subjects, find_subjects, read_gift
from tests.builders import RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription, transaction

WHOLE = Gift(RECIPIENT, "Rory Receiver", "Enjoy!", "Bea")
CARD = {"email": RECIPIENT, "name": "Rory Receiver", "message": "Enjoy!"}


def read(event, data):
    return read_gift(EVENTS[event], data)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("order_new", gift_order()),
        ("order_new", gift_order(is_gift=False)),
        ("order_new", order(sent_gift=CARD)),
        ("order_new", order(subscriptions=[{"id": 7021, "subscription_gift_info": gift_info()}])),
        ("subscription_new", subscription(subscription_gift_info=gift_info())),
        ("transaction_new", transaction() | {"order": gift_order()}),
        ("shipment_shipped", shipment(fulfillments=[{"id": 1, "order": gift_order()}])),
    ],
    ids=["order", "order without its mark", "sent", "inner subscription", "subscription", "transaction", "shipment"],
)
def test_a_gift_is_read_wherever_its_card_stands(event, data):
    assert read(event, data) == WHOLE


def test_the_recipient_who_redeems_a_gift_has_its_card_and_no_giver():
    assert read("order_new", order(received_gift=CARD)) == Gift(
        RECIPIENT, "Rory Receiver", "Enjoy!", None, is_redeemed=True
    )


@pytest.mark.parametrize(
    "data",
    [
        order(),
        order(received_gift="/v1/gifts/1", sent_gift="/v1/gifts/2", order_gift_info="/v1/gifts/3"),
        order(subscriptions=[{"id": 7021, "subscription_gift_info": "/v1/gifts/4"}]),
    ],
    ids=["none", "links", "a link of a subscription"],
)
def test_without_a_card_or_a_mark_there_is_no_gift(data):
    assert read("order_new", data) is None


def test_a_marked_shipment_is_a_gift_of_which_only_the_giver_is_known():
    assert read("shipment_shipped", shipment(is_gift=True)) == Gift(None, None, None, "Bea")


@pytest.mark.parametrize(
    ("info", "message"),
    [({}, "older"), ({"gift_message": "newer"}, "newer"), (None, "older")],
    ids=["an empty card", "a card with a message", "no card"],
)
def test_the_message_of_the_card_counts_before_that_of_the_order(info, message):
    data = order(is_gift=True, order_gift_info=info, gift_message="older")

    assert read("order_new", data).message == message


def test_a_subscription_names_its_giver_itself():
    info = gift_info(gift_sender={"first_name": "Ada"})

    assert read("subscription_new", subscription(subscription_gift_info=info)).giver_first_name == "Ada"


@pytest.mark.parametrize("first_name", [None, 7])
def test_a_buyer_without_a_first_name_leaves_the_giver_unnamed(first_name):
    assert read("order_new", gift_order(customer=customer(first_name=first_name))).giver_first_name is None


def test_a_gift_without_a_buyer_is_a_gift():
    assert read("order_new", {"id": 1, "order_gift_info": gift_info()}) == Gift(RECIPIENT, "Rory Receiver", "Enjoy!")


def test_gaps_are_filled_from_the_other_gift_and_nothing_else_is_changed():
    partial, other = Gift("a@example.com", None, "Hi"), Gift("b@example.com", "B", "Ho", "Bo", is_redeemed=True)

    assert partial.with_gaps_filled_from(other) == Gift("a@example.com", "B", "Hi", "Bo")
    assert Gift(None).with_gaps_filled_from(other) == Gift("b@example.com", "B", "Ho", "Bo")


def test_the_order_counts_before_its_subscriptions():
    inner = {"id": 7021, "subscription_gift_info": gift_info(gift_message="inner", gift_recipient_name="Inner")}
    data = order(order_gift_info={"gift_message": "outer"}, subscriptions=[inner])

    assert read("order_new", data) == Gift(RECIPIENT, "Inner", "outer", "Bea")


@pytest.mark.parametrize(
    ("event", "data", "subjects"),
    [
        ("order_new", order(subscriptions=[{"id": 7021}]), (("order", 7015), ("subscription", 7021))),
        ("order_new", order(fulfillments=[{"subscription_id": 7021}]), (("order", 7015), ("subscription", 7021))),
        ("subscription_new", subscription(), (("subscription", 7021),)),
        ("customer_new", customer(), ()),
        ("transaction_new", transaction(), (("order", 7015),)),
        (
            "shipment_shipped",
            shipment(
                fulfillments=[
                    {"id": 1, "subscription_id": 7021, "order": {"id": 7015, "subscriptions": [{"id": 7021}]}},
                    {"id": 2, "subscription_id": None, "order": {"id": "7016"}},
                ]
            ),
            (("shipment", 7033), ("subscription", 7021), ("order", 7015)),
        ),
    ],
    ids=["order", "order with boxes", "subscription", "customer", "transaction", "shipment"],
)
def test_the_subjects_of_an_event_stand_once_and_nearest_first(event, data, subjects):
    assert find_subjects(EVENTS[event], data) == subjects


@pytest.mark.parametrize(
    ("event", "data", "subjects"),
    [
        ("order_new", order(), (("order", 7015),)),
        ("transaction_new", transaction(), (("order", 7015),)),
        ("shipment_shipped", shipment(), (("shipment", 7033), ("subscription", 7021))),
        ("customer_new", customer(), ()),
        ("checkout_failed", {"order": order()}, ()),
    ],
)
def test_a_gift_is_remembered_for_what_is_surely_it(event, data, subjects):
    assert find_gift_subjects(EVENTS[event], data, WHOLE) == subjects


@pytest.mark.parametrize(
    "gift", [Gift(None), Gift("no address"), Gift(RECIPIENT, is_redeemed=True)], ids=["none", "malformed", "redeemed"]
)
def test_a_gift_without_an_address_to_remember_is_not_remembered(gift):
    assert find_gift_subjects(EVENTS["order_new"], order(), gift) == ()


@pytest.mark.parametrize(
    "data",
    [order(order_gift_info={"gift_recipient_email": RECIPIENT}), order(received_gift={"message": "Enjoy!"})],
    ids=["an address", "redeemed without an address"],
)
def test_a_gift_that_is_known_by_its_body_takes_nothing_from_memory(data):
    known = {("order", 7015): Gift("other@example.com", "Other", "Other", "Other")}

    assert find_gift(EVENTS["order_new"], data, known) == read("order_new", data)


@pytest.mark.parametrize("address", [None, "no address"])
def test_a_gift_without_a_usable_address_is_completed_from_memory(address):
    data = order(order_gift_info={"gift_message": "Hi", "gift_recipient_email": address})
    found = find_gift(EVENTS["order_new"], data, {("order", 7015): WHOLE})

    assert found == Gift(RECIPIENT, "Rory Receiver", "Hi", "Bea")


def test_of_several_remembered_gifts_the_nearest_counts_first():
    known = {("subscription", 7021): Gift(RECIPIENT, "Nearest"), ("order", 7015): Gift("b@example.com", "B", "Ho")}
    data = shipment(fulfillments=[{"id": 1, "subscription_id": 7021, "order": {"id": 7015}}])

    assert find_gift(EVENTS["shipment_shipped"], data, known) == Gift(RECIPIENT, "Nearest", "Ho")


def test_the_order_that_renews_a_gift_is_none():
    assert find_gift(EVENTS["order_new"], order(is_renewal=True), {("order", 7015): WHOLE}) is None


@pytest.mark.parametrize(
    ("event", "data"),
    [("order_new", order()), ("subscription_updated", subscription(is_renewal=True))],
    ids=["an order that renews nothing", "a subscription"],
)
def test_what_says_nothing_of_a_gift_is_one_if_its_subject_is_remembered(event, data):
    known = {("order", 7015): WHOLE, ("subscription", 7021): WHOLE}

    assert find_gift(EVENTS[event], data, known) == WHOLE


def test_without_memory_what_says_nothing_of_a_gift_is_none():
    assert find_gift(EVENTS["order_new"], order(), {}) is None
