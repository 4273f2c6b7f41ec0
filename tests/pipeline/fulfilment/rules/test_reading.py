from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fulfilment.rules.order import evaluate
from pipeline.fulfilment.rules.reading import Unreadable, read_shipment
from pipeline.fulfilment.rules.shipment import (
    Batch,
    Buyer,
    Item,
    Listed,
    PaidOrder,
    Shipment,
    Subscription,
    find_billing_type,
    find_kind,
    find_subscriptions,
)
from schemas import load
from tests.pipeline.fulfilment.rules.boxes import (
    NOW,
    NUMBERING,
    SETTINGS,
    address,
    at,
    body,
    item,
    one_off,
    order,
    read,
)


def test_a_row_of_a_list_and_its_loaded_form_are_read_alike():
    sent = body()

    assert read_shipment(load("shipment", sent, ()).data) == read_shipment(sent)


@pytest.mark.parametrize("name", ["end", "end_date"])
@pytest.mark.parametrize("time", ["2026-01-31T23:59:59Z", 1769903999000])
def test_the_end_of_a_batch_is_read_in_every_spelling(name, time):
    shipment = read(body(batch={"id": 5, name: time}))

    assert shipment.batch == Batch(5, None, at("2026-01-31T23:59:59"))


def test_every_field_of_a_shipment_is_read():
    customer = {"id": 6, "first_name": "Ann", "last_name": "Example", "email": "Ann@Example.com"}
    sent = body(
        created_at="2026-01-02T00:00:00Z",
        shipped_at="2026-01-03T00:00:00Z",
        customer={"id": 6},
        batch={"id": 5, "start": "2026-01-01T00:00:00Z", "end": "2026-01-31T00:00:00Z"},
        subscriptions=[{"id": 70000001, "status": "active", "start_date": "2025-11-10T00:00:00Z"}],
        fulfillments=[
            item(
                shipping=5,
                tax=6,
                order=order(customer=customer, total_shipping=7, is_renewal=True, subscriptions=None),
                instance={"id": 40000001, "sku": "BOX", "price": 8, "name": "Plain"},
            )
        ],
    )

    shipment = read(sent)

    assert (shipment.created_at, shipment.shipped_at) == (at("2026-01-02T00:00:00"), at("2026-01-03T00:00:00"))
    assert shipment.batch == Batch(5, at("2026-01-01T00:00:00"), at("2026-01-31T00:00:00"))
    assert shipment.customer_id == 6
    assert shipment.subscriptions == (Subscription(70000001, "active", at("2025-11-10T00:00:00")),)
    [read_item], [read_order] = shipment.items, shipment.orders
    assert (read_item.instance_id, read_item.name, read_item.price) == (40000001, "Plain", 8)
    assert (read_item.shipping, read_item.tax, read_item.status) == (5, 6, "open")
    assert read_order.buyer == Buyer(6, "Ann Example", "ann@example.com")
    assert (read_order.total_shipping, read_order.is_renewal) == (7, True)


def test_what_is_absent_is_empty():
    shipment = read({"id": 1, "status": "unshipped", "fulfillments": [{"id": 2, "order": {"id": 3, "customer_id": 4}}]})

    assert shipment == Shipment(1, "unshipped", is_whole=True, items=(Item(2, order=PaidOrder(3, buyer=Buyer(4))),))
    assert not read_shipment({"id": 1, "status": "unshipped"}).is_whole


@pytest.mark.parametrize("part", ["to", "street", "city", "zip_code", "country"])
def test_one_part_makes_an_address(part):
    assert read(body(ship_address={part: "X"})).ship_to is not None


@pytest.mark.parametrize(("sent", "id_"), [(7, 7), ("8", 8), (0, 0), (-1, None), (True, None), ("x", None), ([], None)])
def test_an_unreadable_shipment_has_its_id_if_that_can_be_read(sent, id_):
    unreadable = read_shipment({"id": sent, "status": {}})

    assert isinstance(unreadable, Unreadable)
    assert unreadable.id == id_
    assert ("status", "is not a word or a number") in unreadable.fields


@pytest.mark.parametrize(
    ("sent", "word"), [(1, "unshipped"), ("Shipped", "shipped"), (3, "cancelled"), ("canceled", "cancelled")]
)
def test_a_status_is_read_as_word_and_as_number(sent, word):
    assert read(body(status=sent)).status == word


def test_both_shapes_of_variants_are_read():
    v1 = {"variant_type": {"name": "Size"}, "variant_value": {"value": "Medium"}}
    v1_1 = {"type": "Color", "value": "Red"}
    instance = {"id": 1, "sku": "BOX", "variants": [v1, v1_1]}

    [read_item] = read(body(fulfillments=[item(instance=instance)])).items

    assert read_item.variants == (("Size", "Medium"), ("Color", "Red"))


def test_the_sku_of_the_product_is_taken_where_the_instance_has_none():
    instance = {"id": 1, "sku": "", "product": {"sku": "TEA", "name": "Tea"}}

    [read_item] = read(body(fulfillments=[item(instance=instance)])).items

    assert (read_item.sku, read_item.name) == ("TEA", "Tea")


@pytest.mark.parametrize(
    "sent",
    [
        {"order_gift_info": {"gift_message": "Hello"}},
        {"gift_message": "Hello"},
        {"received_gift": {"message": "Hello"}},
        {"order_gift_info": {"gift_message": "Hello"}, "gift_message": "Older"},
    ],
)
def test_a_gift_message_is_read_from_each_of_its_places(sent):
    [read_order] = read(body(fulfillments=[item(order=order(**sent))])).orders

    assert read_order.gift_message == "Hello"


def test_an_address_without_a_street_is_read():
    sent = address()
    del sent["street"]

    shipment = read(body(ship_address=sent))

    assert shipment.ship_to is not None
    assert (shipment.ship_to.street, shipment.ship_to.unit) == ("", "Unit 2")


@pytest.mark.parametrize("sent", [None, 5, {"id": 5}, "/v1/addresses/5/"])
def test_a_reference_to_an_address_is_no_address(sent):
    assert read(body(ship_address=sent)).ship_to is None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": None}, "id"),
        ({"status": None}, "status"),
        ({"status": {}}, "status"),
        ({"adjusted_ordered_at": "soon"}, "adjusted_ordered_at"),
        ({"batch": {"id": 5, "end_date": "soon"}}, "batch.end"),
        ({"ship_address": address(unit=["2"])}, "ship_address.unit"),
        ({"fulfillments": "/v1/shipments/90000001/fulfillments/"}, "fulfillments"),
        ({"fulfillments": [item(id=None)]}, "fulfillments"),
        ({"fulfillments": [item(), 7.5]}, "fulfillments.1"),
        ({"fulfillments": [item(order=order(financial_status=[]))]}, "fulfillments.0.order.financial_status"),
        ({"fulfillments": [item(instance={"sku": {}})]}, "fulfillments.0.product_instance.sku"),
    ],
)
def test_what_would_change_a_box_must_be_readable(changes, path):
    unreadable = read_shipment(body() | changes)

    assert isinstance(unreadable, Unreadable)
    assert [name for name, _ in unreadable.fields] == [path]
    assert unreadable.id == (None if path == "id" else 90000001)


@pytest.mark.parametrize("changes", [{"labels": 3.5}, {"created_at": "soon"}, {"tracking_link": []}, {"unheard_of": 1}])
def test_other_unreadable_fields_do_not_spoil_a_box(changes):
    assert isinstance(read_shipment(body() | changes), Shipment)


MONTHLY = replace(SETTINGS, sku_suffix="yymm", standard_date_basis="adjusted_ordered_at")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*body(), *item(), *order()]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=80)
@given(sent=_JSON, key=st.sampled_from(list(body())))
def test_no_shipment_stops_a_page(sent, key):
    for is_whole, any_body in ((True, sent), (False, body(**{key: sent})), (True, body(**{key: sent}))):
        found = read_shipment(any_body, is_whole=is_whole)
        assert isinstance(found, Unreadable) or evaluate(found, MONTHLY, NUMBERING, NOW)


@pytest.mark.parametrize(
    ("sent", "kind", "billing_type"),
    [
        (body(billing_type="adhoc", batch=None), "subscription", "adhoc"),
        (body(billing_type="standard"), "subscription", "standard"),
        (one_off(), "order", "ecom"),
        (body(billing_type="ecom"), "order", "ecom"),
        (body(billing_type=None, is_ecom=False), "subscription", "standard"),
        (body(billing_type=None, is_ecom=True, batch=None), "order", "ecom"),
        (body(billing_type=None), "subscription", "standard"),
        (body(billing_type=None, batch=None, batch_id=5), "subscription", "standard"),
        (body(billing_type="weekly", batch=None), "subscription", None),
        (one_off(billing_type=None), "order", "ecom"),
        (
            body(billing_type=None, batch=None, fulfillments=[item(), item(id=2, subscription_id=None)]),
            "subscription",
            None,
        ),
    ],
)
def test_kind_and_billing_type_are_found(sent, kind, billing_type):
    shipment = read(sent)

    assert (find_kind(shipment), find_billing_type(shipment)) == (kind, billing_type)


def test_the_list_that_was_asked_says_the_billing_type():
    shipment = read_shipment(body(billing_type=None), "adhoc")

    assert isinstance(shipment, Shipment)
    assert shipment.billing_type == "adhoc"


def test_a_reading_by_id_is_completed_by_what_the_list_has_shown():
    listed = Listed("standard", Batch(5, None, 7), 3)
    shipment = read(body(billing_type=None, batch={"id": 5}, sub_cycle=None))

    assert shipment.complete(listed).listed == listed
    assert read(body()).complete(Listed("adhoc", Batch(6, None, 8), 9)) == read(body())


def test_subscriptions_have_the_status_that_is_shown_anywhere():
    shipment = read(
        body(
            subscriptions=[{"id": 70000001, "status": 2}],
            fulfillments=[item(order=order(subscriptions=[{"id": 70000001}, {"id": 70000009, "status": "active"}]))],
        )
    )

    assert find_subscriptions(shipment) == (Subscription(70000001, "active"),)


def test_no_person_is_in_the_text_of_a_shipment():
    text = repr(read(body(fulfillments=[item(order=order(gift_message="Dear Ann"))])))

    for word in ("Recipient", "Test Street", "75001", "Example Buyer", "buyer@", "Ann"):
        assert word not in text
