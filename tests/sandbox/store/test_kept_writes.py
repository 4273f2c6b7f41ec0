"""What a write gives is kept, in the form in which the store shows it, and is in the hooks that follow."""

import json

import pytest


@pytest.fixture
def box(shop):
    shop.people(40)
    return shop.get("/v1/shipments/?status=unshipped")["results"][0]


@pytest.fixture
def subscription(shop):
    shop.people(6)
    return shop.get("/v1/subscriptions/")["results"][0]


def decoded(recorder, event):
    [received] = [one for one in recorder.received if one.event == event]
    return json.loads(json.loads(received.body))


def test_a_carrier_and_a_tracking_link_are_kept_and_sent(shop, box, sent_events, recorder):
    path = f"/v1/shipments/{box['id']}/"
    given = {"carrier_name": "USPS", "tracking_link": "https://track.example.com/9400"}
    answer = shop.call("PUT", path, {"status": "shipped", "tracking_number": 9400, **given}).json

    assert sent_events().count("shipment_shipped") == 1
    for shown in (answer, shop.get(path), decoded(recorder, "shipment_shipped")):
        assert {name: shown[name] for name in given} == given
        assert shown["tracking_number"] == "9400"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2015-09-01T12:30:00Z", "2015-09-01T12:30:00Z"),
        ("2015-09-01 12:30:00Z", "2015-09-01T12:30:00Z"),
        ("2017-09-15", "2017-09-15T00:00:00Z"),
        ("2026-03-03T17:05:30.000Z", "2026-03-03T17:05:30Z"),
        ("2026-03-03T17:05:30.999999Z", "2026-03-03T17:05:30Z"),
        ("2026-03-03T17:05:30+02:00", "2026-03-03T15:05:30Z"),
    ],
)
def test_a_date_is_shown_in_one_form_however_it_was_given(shop, box, given, kept):
    dates = {"shipped_at": given, "adjusted_ordered_at": given}
    answer = shop.call("PUT", f"/v1/shipments/{box['id']}/", {"status": "shipped", **dates}).json
    assert (answer["shipped_at"], answer["adjusted_ordered_at"]) == (kept, kept)


def test_the_older_name_of_a_boxs_target_date_moves_with_it(shop, box):
    answer = shop.call("PUT", f"/v1/shipments/{box['id']}/", {"adjusted_ordered_at": "2026-05-01"}).json
    assert answer["target_at"] == answer["adjusted_ordered_at"] == "2026-05-01T00:00:00Z"


def test_a_status_may_be_given_as_its_number(shop, box):
    assert shop.call("PUT", f"/v1/shipments/{box['id']}/", {"status": 2}).json["status"] == "shipped"


def test_the_reason_for_a_cancellation_is_kept_and_sent(shop, subscription, sent_events, recorder):
    path = f"/v1/subscriptions/{subscription['id']}/"
    answer = shop.call("PUT", f"{path}cancel/", {"cancel_reason": "6", "log_note": "moved away"}).json

    assert "subscription_cancelled" in sent_events()
    for shown in (answer, shop.get(path), decoded(recorder, "subscription_cancelled")):
        assert shown["cancel_reason"] == 6


def test_the_notes_of_cancelling_and_reactivating_are_in_the_log(shop, subscription):
    path = f"/v1/subscriptions/{subscription['id']}/"
    shop.call("PUT", f"{path}cancel/", {"log_note": "moved away"})
    shop.call("PUT", f"{path}reactivate/", {"log_note": "came back"})
    assert [entry["note"] for entry in shop.get(f"{path}?with=logs")["logs"]] == ["moved away", "came back"]


def test_a_subscription_carries_the_long_form_of_its_product(shop, subscription):
    product = shop.get(f"/v1/products/{subscription['product']['id']}/?with=")
    assert subscription["product"] == product | {"ship_option": 1}


def test_a_new_subscriptions_hook_carries_the_long_form_of_its_product(shop, recorder):
    shop.listen(recorder)
    shop.live(6)
    product = decoded(recorder, "subscription_new")["product"]
    assert {"description", "slug", "ship_weight", "url"} <= product.keys()


def test_a_note_alone_leaves_the_name_as_it_was_typed(shop):
    [customer_id, *_] = shop.people(1)
    shop.world.state.get("customers", customer_id)["name"] = "Dana  Buyer "
    assert shop.call("PUT", f"/v1/customers/{customer_id}/", {"note": "x"}).json["name"] == "Dana  Buyer "


def test_a_new_first_name_changes_the_name(shop):
    [customer_id, *_] = shop.people(1)
    answer = shop.call("PUT", f"/v1/customers/{customer_id}/", {"first_name": "Nova", "last_name": "Lane"}).json
    assert answer["name"] == "Nova Lane"


@pytest.fixture
def order(shop):
    """Two mugs and one bag for a customer's second address, with a saved card and a coupon."""
    [customer_id] = shop.people(1)
    mug, bag = (row["instances"][0] for row in shop.get("/v1/products/?product_type=1")["results"][:2])
    address = shop.call("POST", f"/v1/customers/{customer_id}/addresses/", {"city": "Austin", "to": "Dana"}).json
    lines = [{"product_instance.id": mug["id"], "quantity": "2"}, {"product_instance": {"id": bag["id"]}}]
    body = {
        "customer.id": customer_id,
        "products": lines,
        "ship_address_id": address["id"],
        "cust_pay_id": 77,
        "coupons": [5],
    }
    made = shop.call("POST", "/v1/orders/", body)
    assert made.status_code == 201, made.text
    return made.json | {"_address": address, "_prices": (mug["price"], bag["price"])}


def test_an_order_keeps_how_many_of_each_were_bought(order):
    mug, bag = order["_prices"]
    assert [line["quantity"] for line in order["products"]] == [2, 1]
    assert order["sub_total"] == 2 * mug + bag


def test_an_order_keeps_where_it_goes(shop, order):
    shown = shop.get(f"/v1/orders/{order['id']}/?with=ship_address,coupons,fulfillments")
    assert shown["ship_address"]["id"] == order["_address"]["id"]
    assert [coupon["coupon_id"] for coupon in shown["coupons"]] == [5]
    assert len(shown["fulfillments"]) == 3


def test_an_order_keeps_the_card_that_pays(shop, order):
    [found] = shop.get("/v1/transactions/?customer_pay_id=77")["results"]
    assert found["order"]["id"] == order["id"]


def test_boxes_by_api_open_a_subscription_each(shop):
    [customer_id] = shop.people(1)
    before = len(shop.ids(f"/v1/subscriptions/?customer_id={customer_id}"))
    box = shop.get("/v1/products/?product_type=0")["results"][0]["instances"][0]
    line = {"product_instance": {"id": box["id"]}, "quantity": 2, "term": {"num_cycles": 3}}
    made = shop.call("POST", "/v1/orders/", {"customer": {"id": customer_id}, "products": [line]}).json

    assert len(shop.ids(f"/v1/subscriptions/?customer_id={customer_id}")) == before + 2
    assert len(shop.get(f"/v1/orders/{made['id']}/?with=subscriptions")["subscriptions"]) == 2


def test_a_redirect_is_kept(shop):
    made = shop.call("POST", "/v1/page_redirects/", {"path": "/fun", "target": "/work", "code": 301})
    assert made.status_code == 201
    assert (made.json["path"], made.json["target"], made.json["code"]) == ("/fun", "/work", 301)


def test_every_property_shown_is_one_that_filters_know(shop):
    """What an answer shows and the table of properties does not know could neither be filtered nor refused."""
    shop.people(6)
    for kind in ("customers", "orders", "subscriptions", "shipments", "products", "product_instances", "transactions"):
        for row in shop.get(f"/v1/{kind}/?with=")["results"]:
            for name in row:
                assert shop.call("GET", f"/v1/{kind}/?{name}__is_null=true").status_code == 200, (kind, name)
