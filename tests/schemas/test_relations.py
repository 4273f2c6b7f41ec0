"""Relations in every shape: object, list, link, bare id, null, missing."""

import pytest

from schemas import InvalidBody, load


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        ({"id": 5, "email": "A@example.org"}, {"id": 5, "email": "a@example.org"}),
        ({"id": 5}, {"id": 5}),
        ([{"id": 5}], {"id": 5}),
        ([{"id": 5}, {"id": 6}], {"id": 5}),
        ([None], None),
        ([], None),
        ("/v1/customers/5", {"id": 5, "link": "/v1/customers/5"}),
        (["/v1/customers/5/"], {"id": 5, "link": "/v1/customers/5/"}),
        (" /v1/customers/5?with=all#a ", {"id": 5, "link": "/v1/customers/5?with=all#a"}),
        ("https://shop.example/v1/customers/5", {"id": 5, "link": "https://shop.example/v1/customers/5"}),
        ("/v1/orders/7/customer", {"link": "/v1/orders/7/customer"}),
        ("/v1/customers/9999999999999999999", {"link": "/v1/customers/9999999999999999999"}),
        (5, {"id": 5}),
        ("5", {"id": 5}),
        ("", None),
        (None, None),
    ],
)
def test_a_relation_to_one(sent, loaded):
    assert load("order", {"customer": sent}).data == {"customer": loaded}


def test_a_missing_relation_stays_missing():
    assert load("order", {}).data == {}


@pytest.mark.parametrize(
    ("sent", "path"), [(True, "customer"), ("a person", "customer"), (1.5, "customer"), ([[]], "customer.0")]
)
def test_what_relates_to_nothing_is_refused(sent, path):
    with pytest.raises(InvalidBody) as refused:
        load("order", {"customer": sent})

    assert refused.value.errors == {path: ["is not an object, an id or a link"]}


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        ([{"id": 5}, {"id": 6}], {"fulfillments": [{"id": 5}, {"id": 6}]}),
        ({"id": 5}, {"fulfillments": [{"id": 5}]}),
        ([{"id": 5}, None], {"fulfillments": [{"id": 5}]}),
        (["/v1/fulfillments/5"], {"fulfillments": [{"id": 5, "link": "/v1/fulfillments/5"}]}),
        ("/v1/fulfillments/5", {"fulfillments": [{"id": 5, "link": "/v1/fulfillments/5"}]}),
        ("/v1/shipments/7/fulfillments", {"links": {"fulfillments": "/v1/shipments/7/fulfillments"}}),
        ([], {"fulfillments": []}),
        ("", {"fulfillments": None}),
        (None, {"fulfillments": None}),
    ],
)
def test_a_relation_to_many(sent, loaded):
    assert load("shipment", {"fulfillments": sent}).data == loaded


def test_an_element_that_relates_to_nothing_is_named_by_its_index():
    with pytest.raises(InvalidBody) as refused:
        load("shipment", {"fulfillments": [{}, "somewhere"]})

    assert refused.value.errors == {"fulfillments.1": ["is not an object, an id or a link"]}


def test_an_error_deep_inside_is_named_by_its_path():
    with pytest.raises(InvalidBody) as refused:
        load("shipment", {"fulfillments": [{"order": {"total": "dear"}}]})

    assert list(refused.value.errors) == ["fulfillments.0.order.total"]


def test_links_we_made_are_read_again():
    data = {"links": {"fulfillments": "/v1/shipments/7/fulfillments"}}

    assert load("shipment", data).data == data


def test_a_list_outweighs_a_link():
    body = {"fulfillments": [{"id": 5}], "links": {"fulfillments": "/v1/shipments/7/fulfillments"}}

    assert load("shipment", body).data == {"fulfillments": [{"id": 5}]}


@pytest.mark.parametrize("links", [5, {}, {"customer": "/v1/customers/5"}, {"foo": "/v1/foo"}, {"labels": 5}])
def test_links_that_are_not_ours_are_unknown_and_not_errors(links):
    loaded = load("shipment", {"links": links})

    assert (loaded.data, loaded.unknown) == ({}, {"links": links})


def test_a_link_that_is_no_text_is_unknown_and_no_error():
    loaded = load("shipment", {"link": {"href": "/v1/shipments/7"}})

    assert (loaded.data, loaded.unknown) == ({}, {"link": {"href": "/v1/shipments/7"}})
