"""What an event's boxes hold, in every shape in which the store sends them."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.boxes import build_boxes, read_variants
from schemas import load
from tests.builders import order, shipment, subscription

V1 = {"variant_type": {"name": "Größe"}, "variant_value": {"value": "M"}}
V11 = {"type": "Flavour", "id": 5, "value": "Mint"}
INSTANCE = {"id": 64, "name": "Sample Box", "sku": "SQ1-M", "product_id": 62, "variants": [V1, V11]}
BOX = {"product_id": 62, "name": "Sample Box", "sku": "SQ1-M", "variants": {"grosse": "M", "flavour": "Mint"}}


def boxes(event, body):
    row = EVENTS[event]
    return build_boxes(row, load(row.schema, body, ()).data)


def test_both_shapes_of_a_variant_are_read_before_and_after_loading():
    loaded = load("product_instance", INSTANCE).data

    assert read_variants(INSTANCE) == read_variants(loaded) == {"grosse": "M", "flavour": "Mint"}


@pytest.mark.parametrize("instance", [None, {}, {"variants": None}, {"variants": "/v1/product_instances/64/variants"}])
def test_an_instance_that_does_not_say_which_variants_it_has_is_unknown(instance):
    assert read_variants(instance) is None


def test_an_instance_without_variants_has_none():
    assert read_variants({"variants": []}) == {}


def test_two_variants_with_one_slug_are_both_shown():
    assert read_variants({"variants": [{"type": "Size", "value": "M"}, {"type": "size ", "value": "L"}]}) == {
        "size": "M, L"
    }


def test_a_variant_without_a_name_or_a_value_is_left_out():
    assert read_variants({"variants": [{"type": "!", "value": "M"}, {"type": "Size"}, "M", {"value": 3}]}) == {}


def test_a_subscription_has_one_box():
    body = subscription(product_instance=INSTANCE)

    assert boxes("subscription_new", body) == [BOX]


def test_a_shipment_has_a_box_for_each_fulfilment():
    items = [{"id": 1, "cycle_number": 1, "total_cycles": 3, "instance": INSTANCE}, {"id": 2, "cycle_number": -1}]

    assert boxes("shipment_shipped", shipment(fulfillments=items)) == [{**BOX, "number": 2, "of": 3}]


def test_an_order_has_a_box_for_each_product():
    products = [{"id": 1, "product_instance": INSTANCE, "quantity": 2}, {"id": 9, "name": "Candle", "sku": "C1"}]

    assert boxes("order_new", order(products=products)) == [{**BOX, "quantity": 2}, {"name": "Candle", "sku": "C1"}]


def test_an_order_without_products_shows_the_boxes_of_its_subscriptions():
    assert boxes("order_new", order(subscriptions=[subscription(product_instance=INSTANCE)])) == [BOX]


def test_a_body_with_links_has_no_boxes():
    body = shipment(fulfillments="/v1/shipments/7033/fulfillments")

    assert boxes("shipment_shipped", body) == []
