"""Authentication, paths, envelope and paging: what holds for every resource."""

from urllib.parse import urljoin

import pytest


def test_a_request_without_keys_is_refused(shop):
    assert shop.client.get("/v1/customers/").status_code == 401


def test_wrong_keys_are_refused(shop):
    assert shop.call("GET", "/v1/customers/", keys="id:wrong").status_code == 401


def test_the_refusal_can_be_a_403(shop):
    shop.control("switches", {"refuse_with": 403})
    assert shop.call("GET", "/v1/customers/", keys="id:wrong").status_code == 403


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/", "/v1.1/shipments", "/v1.1/shipments/"])
def test_a_path_works_with_and_without_its_slash(shop, path):
    assert shop.call("GET", path).status_code == 200


def test_an_element_works_without_its_slash(shop):
    [customer_id] = shop.people(1)
    assert shop.get(f"/v1/customers/{customer_id}")["id"] == customer_id


@pytest.mark.parametrize("path", ["/v1/customers/5/", "/v1/nothing/", "/v1/orders/5/products/"])
def test_a_missing_resource_is_a_404(shop, path):
    assert shop.call("GET", path).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/customers/"), ("PUT", "/v1.1/shipments/")])
def test_a_wrong_method_is_a_405(shop, method, path):
    assert shop.call(method, path).status_code == 405


def test_a_list_has_an_envelope(shop):
    shop.people(2)
    answer = shop.get("/v1/customers/")
    assert (answer["count"], answer["next"], answer["prev"], len(answer["results"])) == (2, None, None, 2)


def test_ten_results_are_a_page_and_the_next_repeats_the_filters(shop):
    shop.people(12)
    answer = shop.get("/v1/customers/?country__ne=XX")
    assert (len(answer["results"]), answer["next"]) == (10, "?page=2&country__ne=XX")


def test_the_filters_in_next_are_percent_encoded(shop):
    shop.people(12)
    answer = shop.get("/v1/customers/?orders.placed_at__ge=2016-03-14T00:00:00Z&limit=1")
    assert answer["next"] == "?page=2&orders.placed_at__ge=2016-03-14T00%3A00%3A00Z&limit=1"


@pytest.mark.parametrize("base", [0, 1])
def test_following_next_reaches_every_customer_once_under_both_page_bases(shop, base):
    ids = shop.people(23)
    shop.control("switches", {"page_base": base})

    seen, path = [], "/v1/customers/?limit=5"
    while path:
        answer = shop.get(path)
        seen += [row["id"] for row in answer["results"]]
        path = answer["next"] and urljoin("/v1/customers/", answer["next"])

    assert seen == ids


def test_pages_zero_and_one_are_both_the_first_when_counting_from_one(shop):
    shop.people(12)
    assert shop.ids("/v1/customers/?page=0") == shop.ids("/v1/customers/?page=1")


def test_a_limit_can_be_capped(shop):
    shop.people(6)
    shop.control("switches", {"max_limit": 4})
    assert len(shop.ids("/v1/customers/?limit=100")) == 4


def test_the_newer_shipments_are_capped_at_two_hundred(shop):
    shop.people(1)
    answer = shop.get("/v1.1/shipments/?limit=9999&billing_type=standard")
    assert answer["count"] <= 1


def test_keys_come_in_alphabetical_order(shop):
    [customer_id] = shop.people(1)
    keys = list(shop.get(f"/v1/customers/{customer_id}/"))
    assert keys == sorted(keys)


def test_nothing_of_the_stores_own_leaves_it(shop):
    shop.people(3)
    assert '"_' not in shop.call("GET", "/v1/orders/?with=all").text.replace('"_md"', "")


def test_a_with_replaces_the_default_relations(shop):
    shop.people(3)
    [subscription, *_] = shop.get("/v1/subscriptions/?with=orders")["results"]
    assert subscription["orders"][0]["type"] == "order"
    assert "customer" not in subscription


def test_relations_can_come_as_links(shop):
    shop.people(3)
    shop.control("switches", {"api_relations": "links"})
    [shipment, *_] = shop.get("/v1/shipments/")["results"]
    assert shipment["fulfillments"] == f"/v1/shipments/{shipment['id']}/fulfillments"


def test_a_link_can_be_followed(shop):
    shop.people(3)
    [shipment_id, *_] = shop.ids("/v1/shipments/")
    assert shop.get(f"/v1/shipments/{shipment_id}/fulfillments")[0]["shipment_id"] == shipment_id


@pytest.mark.parametrize("body", [{"page_base": 2}, {"nothing": 1}, {"integer_status": "yes"}, {"max_limit": 0}])
def test_a_wrong_switch_is_refused(shop, body):
    assert shop.client.post("/_sandbox/switches", json=body).status_code == 400


def test_a_list_can_hold_summaries_and_an_element_is_whole(shop):
    shop.people(6)
    shop.control("switches", {"lists": "summary"})
    [order, *_] = shop.get("/v1/orders/")["results"]
    [customer, *_] = shop.get("/v1/customers/")["results"]
    assert not {"is_gift", "order_gift_info"} & order.keys()
    assert not {"num_orders", "url"} & customer.keys()
    assert customer["addresses"]
    assert {"is_gift", "order_gift_info"} <= shop.get(f"/v1/orders/{order['id']}/").keys()
    assert "num_orders" in shop.get(f"/v1/customers/{customer['id']}/")


def test_customers_carry_no_consent_while_the_checkout_does_not_ask(shop):
    shop.people(3)
    assert all("accepts_marketing" not in row for row in shop.get("/v1/customers/")["results"])


def test_new_customers_carry_their_consent_wherever_they_are(shop):
    shop.control("switches", {"asks_consent": True})
    shop.people(20)
    customers = shop.get("/v1/customers/?limit=20")["results"]
    [order, *_] = shop.get("/v1/orders/")["results"]
    consenting = {row["id"] for row in customers if row.get("accepts_marketing")}
    assert {row.get("accepts_marketing", "absent") for row in customers} == {True, False, "absent"}
    assert order["customer"].get("accepts_marketing", False) == (order["customer_id"] in consenting)
    assert set(shop.ids("/v1/customers/?accepts_marketing=true&limit=20")) == consenting
    assert {one["customer_id"] for one in shop.truth()["people"] if one["accepts_marketing"]} == consenting
