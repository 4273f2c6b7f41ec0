"""Reading the sandbox store's resources: elements, pages, relations; and what spoils a page and what does not."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadResponse
from pipeline.cratejoy.client import UnreadableObject
from pipeline.cratejoy.parsing import SCHEMA_BY_RESOURCE
from schemas import SCHEMA_NAMES
from tests.pipeline.cratejoy.conftest import iter_objects
from tests.pipeline.cratejoy.fake_http import answer, page
from tests.pipeline.cratejoy.fake_http import store as scripted


def test_every_resource_has_a_schema_that_exists():
    assert set(SCHEMA_BY_RESOURCE.values()) <= SCHEMA_NAMES


def test_the_right_keys_pass_the_check(store):
    store.check()


def test_an_element_comes_typed(shop, store):
    (customer,) = shop.people(1)

    found = store.get("customers", customer)

    assert found["id"] == customer
    assert found["email"] == found["email"].strip().lower()


def test_relations_are_embedded_when_they_are_asked_for(shop, store):
    (customer,) = shop.people(1)

    found = store.get("customers", customer, with_=("addresses", "subscriptions"))

    assert found["addresses"][0]["type"] == "address"
    assert "subscriptions" in found


def test_a_filter_and_a_limit_are_sent_as_asked(shop, store):
    ids = shop.people(3)

    found = store.page("customers", {"id__in": f"{ids[0]},{ids[2]}"}, limit=1)

    assert ([one["id"] for one in found.results], found.count) == ([ids[0]], 2)


def test_addresses_end_with_a_slash(shop, store):
    (customer,) = shop.people(1)
    store.page("customers")
    store.page(f"customers/{customer}/addresses")
    store.get("customers", customer)

    assert all(path.endswith("/") for _, path, _ in shop.asked())


@pytest.mark.parametrize("base", [0, 1])
def test_all_pages_are_read_whatever_the_first_is_called(shop, store, base):
    shop.switch(page_base=base, max_limit=3)
    ids = shop.people(10)

    assert [one["id"] for one in iter_objects(store, "customers")] == ids


def test_a_page_can_be_asked_for_later_with_nothing_but_its_next(shop, store):
    ids = shop.people(3)
    first = store.page("customers", {"id__ge": str(ids[1])}, limit=1)

    second = store.page("customers", next_=first.next)

    assert ([one["id"] for one in first.results], [one["id"] for one in second.results]) == ([ids[1]], [ids[2]])
    assert second.next is None


def test_a_relation_that_came_as_a_link_is_followed(shop, store):
    shop.people(5)
    shop.switch(api_relations="links")
    subscription = store.page("subscriptions").results[0]

    customer = store.follow("subscriptions", subscription, "customer").results[0]

    assert subscription["customer"]["link"]
    assert customer["email"]


def test_a_list_that_came_as_a_link_is_followed(shop, store):
    shop.people(5)
    shop.switch(api_relations="links")
    shipment = store.page("shipments").results[0]

    found = store.follow("shipments", shipment, "fulfillments")

    assert shipment["links"]["fulfillments"]
    assert {one["type"] for one in found.results} == {"fulfillment"}


def test_unused_links_cost_no_request(shop, store):
    shop.people(5)
    shop.switch(api_relations="links")
    store.page("shipments")

    assert len(shop.asked()) == 1


def test_an_embedded_relation_is_followed_without_a_request(shop, store):
    shop.people(5)
    shipment = store.page("shipments").results[0]

    store.follow("shipments", shipment, "fulfillments")

    assert len(shop.asked()) == 1


def test_a_bad_object_does_not_kill_its_page():
    store, _ = scripted(answer(200, {"results": [{"id": 1, "customer_id": "a lot"}, {"id": 2}, 7]}))

    found = store.page("orders")

    assert [one["id"] for one in found.results] == [2]
    assert [one.id for one in found.unreadable] == [1, None]
    assert "customer_id" in found.unreadable[0].errors


def test_what_is_said_of_a_bad_object_holds_none_of_its_values():
    store, _ = scripted(answer(200, {"results": [{"id": 1, "customer_id": "secret@example.com"}]}))

    assert "secret" not in repr(store.page("orders").unreadable)


def test_a_bad_element_is_a_bad_answer():
    store, _ = scripted(answer(200, {"id": 1, "customer_id": "secret@example.com"}))

    with pytest.raises(BadResponse, match="customer_id") as caught:
        store.get("orders", 1)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"results": "none"},
        {"results": {"id": 1}},
        {"results": None},
        {"count": 25, "results": None},
        {"count": 0, "next": "?page=3", "results": None},
        None,
        7,
        "text",
    ],
)
def test_a_page_has_an_envelope(body):
    store, _ = scripted(answer(200, body))

    with pytest.raises(BadResponse):
        store.page("orders")


def test_an_empty_page_may_have_no_results_at_all():
    store, _ = scripted(answer(200, {"count": 0, "results": None}))

    assert store.page("orders").results == []


def test_bad_objects_are_ids_and_messages():
    store, _ = scripted(answer(200, {"results": [{"id": -1}]}))

    (bad,) = store.page("orders").unreadable

    assert isinstance(bad, UnreadableObject)
    assert list(bad.errors) == ["id"]


def test_a_field_that_cannot_be_read_is_left_out_of_its_object():
    sent = {"id": 1, "placed_at": "yesterday-ish", "products": [{"id": 2}], "total": "12.50"}
    store, _ = scripted(answer(200, {"results": [sent]}))

    assert store.page("orders").results == [{"id": 1, "products": [{"id": 2}], "total": 1250}]


def test_a_subscription_whose_end_cannot_be_read_cannot_be_compared_and_is_bad():
    store, _ = scripted(answer(200, {"results": [{"id": 1, "end_date": "soon"}]}))

    assert [list(bad.errors) for bad in store.page("subscriptions").unreadable] == [["end_date"]]


def test_a_store_without_anything_has_one_empty_page():
    store, http = scripted(page())

    assert list(iter_objects(store, "orders")) == []
    assert len(http.asked) == 1
