"""Writes that Cratejoy refuses are refused here, with the reasons in the documented shape, and change nothing."""

import pytest

HOOK = {"name": "n", "event": "order_new", "request_type": "POST", "target": "http://127.0.0.1:1/x"}


@pytest.fixture
def paths(shop):
    """One object of each kind that can be changed."""
    [customer_id, *_] = shop.people(6)
    subscription = shop.get("/v1/subscriptions/")["results"][0]
    hook_id = shop.call("POST", "/v1/hooks/", HOOK).json["id"]
    return {
        "customers": f"/v1/customers/{customer_id}/",
        "addresses": f"/v1/addresses/{subscription['address']['id']}/",
        "orders": f"/v1/orders/{shop.ids('/v1/orders/')[0]}/",
        "subscriptions": f"/v1/subscriptions/{subscription['id']}/",
        "shipments": f"/v1/shipments/{shop.ids('/v1/shipments/')[0]}/",
        "products": f"/v1/products/{shop.ids('/v1/products/')[0]}/",
        "hooks": f"/v1/hooks/{hook_id}/",
    }


KINDS = ("customers", "addresses", "orders", "subscriptions", "shipments", "products", "hooks")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_property_is_refused_by_name(shop, paths, kind):
    answer = shop.call("PUT", paths[kind], {"badprop": 1})
    assert (answer.status_code, answer.json) == (400, {"errors": ["Unknown property 'badprop'"]})


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_property_is_refused_by_name(shop, paths, kind):
    answer = shop.call("PUT", paths[kind], {"id": 5})
    assert (answer.status_code, answer.json) == (400, {"errors": ["Read-only property 'id'"]})


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_cannot_be_put_back_as_it_was_read(shop, paths, kind):
    """The documents warn of this: whatever cannot be changed is named."""
    answer = shop.call("PUT", paths[kind], shop.get(paths[kind]))
    assert answer.status_code == 400
    assert {"Read-only property 'id'", "Read-only property 'type'"} <= set(answer.json["errors"])


def test_a_refused_write_changes_nothing(shop, paths):
    before = shop.get(paths["customers"])
    answer = shop.call("PUT", paths["customers"], {"first_name": "Nova", "num_orders": 9, "badprop": 1})
    assert set(answer.json["errors"]) == {"Read-only property 'num_orders'", "Unknown property 'badprop'"}
    assert shop.get(paths["customers"]) == before


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("customers", {"email": "robin at home"}, "email must be an e-mail address"),
        ("customers", {"first_name": {"a": 1}}, "first_name must be a text"),
        ("addresses", {"city": ["Austin"]}, "city must be a text"),
        ("subscriptions", {"autorenew": "perhaps"}, "autorenew must be true or false"),
        ("subscriptions", {"credit": "much"}, "credit must be a whole number"),
        ("subscriptions", {"end_date": "soon"}, "end_date must be a date such as 2026-03-02T17:04:31Z"),
        ("shipments", {"shipped_at": "yesterday"}, "shipped_at must be a date such as 2026-03-02T17:04:31Z"),
        ("shipments", {"status": "lost"}, "status must be one of unshipped, shipped, cancelled"),
        ("products", {"ship_weight": "heavy"}, "ship_weight must be a number"),
        ("hooks", {"target": None}, "target must be a text"),
        ("hooks", {"name": " "}, "name cannot be empty"),
        ("hooks", {"enabled": "perhaps"}, "enabled must be true or false"),
    ],
)
def test_a_value_that_the_property_cannot_have_is_refused(shop, paths, kind, body, error):
    answer = shop.call("PUT", paths[kind], body)
    assert (answer.status_code, answer.json) == (400, {"errors": [error]})


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("cancel", {"reason": 5}),
        ("cancel", {"cancel_reason": "because"}),
        ("reactivate", {"badprop": 1}),
        ("renew", {"log_note": "x"}),
        ("skip", {}),
        ("skip", {"skipped": True}),
    ],
)
def test_an_action_on_a_subscription_takes_its_own_properties_only(shop, paths, action, body):
    assert shop.call("PUT", f"{paths['subscriptions']}{action}/", body).status_code == 400


def test_a_coupon_needs_its_number(shop, paths):
    answer = shop.call("POST", f"{paths['subscriptions']}coupons/", {})
    assert (answer.status_code, answer.json) == (400, {"errors": ["coupon_id is missing"]})


def test_a_new_hook_names_all_it_lacks(shop):
    answer = shop.call("POST", "/v1/hooks/", {"name": "n", "badprop": 1})
    missing = [f"{name} is missing" for name in ("target", "request_type", "event")]
    assert answer.json["errors"] == [*missing, "Unknown property 'badprop'"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customer": {"id": 1}, "products": []},
        {"customer": {"name": "x"}, "products": [{"product_instance": {"id": 1}}]},
        {"customer": {"id": 1}, "products": [{"product_instance": {"id": 1}}]},
        {"customer": {"id": 1}, "products": [{"product_instance": {"id": 1}, "quantity": 0}]},
        {"customer": {"id": 1}, "products": [{"product_instance": {"id": 1}, "colour": "red"}]},
        {"customer": {"id": 1}, "products": [{"product_instance": {"id": 1}}], "is_test": True},
        {
            "customer": {"id": 1},
            "products": [{"product_instance": {"id": 1}}],
            "order_gift_info": {"gift_message": "Hi", "gift_recipient_email": "robin@example.com"},
        },
    ],
)
def test_an_order_by_api_that_cannot_be_placed_is_a_400(shop, body):
    assert shop.call("POST", "/v1/orders/", body).status_code == 400


def test_an_orders_error_says_where_it_is(shop):
    [customer_id] = shop.people(1)
    body = {"customer": {"id": customer_id}, "products": [{"product_instance": {"id": "x"}}]}
    answer = shop.call("POST", "/v1/orders/", body)
    assert answer.json == {"errors": ["products[0].product_instance.id must be a whole number"]}


@pytest.mark.parametrize("data", [b'{"note": NaN}', b'{"note": "\xff"}', b"\xef\xbb\xbf{}", b"{", b"[" * 100_000])
def test_what_is_no_json_in_utf_8_is_refused(shop, paths, data):
    headers = {"Authorization": "Basic aWQ6c2VjcmV0"}
    assert shop.client.put(paths["customers"], data=data, headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/v1/customers/5/", "/v1/nothing/", "/v1/hooks/"])
def test_every_error_of_the_api_has_the_documented_shape(shop, path):
    errors = shop.call("DELETE", path).json["errors"]
    assert all(isinstance(error, str) for error in errors)
    assert errors
