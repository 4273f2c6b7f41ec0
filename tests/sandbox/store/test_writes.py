"""Writes over the API: what they change, and which hooks they send."""

import pytest


@pytest.fixture
def box(shop):
    """An unshipped box: of forty people from before, the last came too late to have got theirs."""
    shop.people(40)
    return shop.get("/v1/shipments/?status=unshipped")["results"][0]


@pytest.fixture
def subscription(shop):
    shop.people(6)
    return shop.get("/v1/subscriptions/")["results"][0]


def ship(shop, box, **fields):
    return shop.call("PUT", f"/v1/shipments/{box['id']}/", {"status": "shipped", **fields})


def test_shipping_a_box_closes_its_order(shop, box):
    ship(shop, box, tracking_number="94001")
    order_id = box["fulfillments"][0]["order"]["id"]
    assert shop.get(f"/v1/orders/{order_id}/")["fulfillment_status"] == "fulfilled"


def test_shipping_a_box_mails_its_customer_once(shop, box):
    before = len(shop.get("/_sandbox/outbox")["emails"])
    ship(shop, box)
    ship(shop, box, tracking_number="94002")
    assert [mail["shipment_id"] for mail in shop.get("/_sandbox/outbox")["emails"][before:]] == [box["id"]]


def test_shipping_a_box_is_reported_once(shop, box, sent_events):
    ship(shop, box)
    ship(shop, box)
    assert sent_events().count("shipment_shipped") == 1


def test_a_tracking_number_alone_sends_no_hook(shop, box, sent_events):
    shop.call("PUT", f"/v1/shipments/{box['id']}/", {"tracking_number": "94003"})
    assert sent_events() == []


def test_writes_send_no_hook_if_the_switch_is_off(shop, box, sent_events):
    shop.control("switches", {"api_writes_tell": False})
    ship(shop, box)
    assert sent_events() == []


def test_a_shipped_box_cannot_be_cancelled(shop, box):
    ship(shop, box)
    assert shop.call("PUT", f"/v1/shipments/{box['id']}/", {"status": "cancelled"}).status_code == 400


def test_a_changed_address_is_reported_with_the_boxes_that_wait_for_it(shop, box, sent_events):
    shop.call("PUT", f"/v1/addresses/{box['ship_address']['id']}/", {"street": "1 New St"})
    assert sent_events() == ["address_updated", "shipment_address_updated"]


def test_a_customers_note_is_put_before_the_old_one(shop):
    [customer_id] = shop.people(1)
    shop.call("PUT", f"/v1/customers/{customer_id}/", {"note": "first"})
    answer = shop.call("PUT", f"/v1/customers/{customer_id}/", {"note": "second"}).json
    assert answer["note"].startswith("second\nfirst")


def test_a_new_address_is_listed(shop):
    [customer_id] = shop.people(1)
    made = shop.call("POST", f"/v1/customers/{customer_id}/addresses/", {"city": "Austin"})
    assert made.status_code == 201
    assert made.json["id"] in shop.ids(f"/v1/customers/{customer_id}/addresses/")


def test_a_boolean_may_come_as_text(shop, subscription):
    answer = shop.call("PUT", f"/v1/subscriptions/{subscription['id']}/", {"autorenew": "False"})
    assert answer.json["autorenew"] is False


def test_cancelling_is_reported_with_each_unshipped_box(shop, box, sent_events):
    subscription_id = box["fulfillments"][0]["subscription_id"]
    shop.call("PUT", f"/v1/subscriptions/{subscription_id}/cancel/", {"log_note": "x", "cancel_reason": 5})
    assert sent_events() == ["subscription_cancelled", "shipment_cancelled"]


def test_a_cancelled_subscription_can_be_taken_up_again(shop, subscription):
    shop.call("PUT", f"/v1/subscriptions/{subscription['id']}/cancel/")
    answer = shop.call("PUT", f"/v1/subscriptions/{subscription['id']}/reactivate/")
    assert answer.json["status"] == "active"


def test_a_skip_can_be_taken_back(shop, subscription):
    path = f"/v1/subscriptions/{subscription['id']}/skip/"
    assert shop.call("PUT", path, {"skip": "true"}).json["skipped_date"] is not None
    assert shop.call("PUT", path, {"unskip": "true"}).json["skipped_date"] is None


def test_only_a_past_due_subscription_can_be_renewed(shop, subscription):
    assert shop.call("PUT", f"/v1/subscriptions/{subscription['id']}/renew/").status_code == 400


def test_renewing_charges_the_card_and_moves_the_end_date(shop, subscription, sent_events):
    shop.world.state.get("subscriptions", subscription["id"])["status"] = "past_due"
    answer = shop.call("PUT", f"/v1/subscriptions/{subscription['id']}/renew/").json
    assert answer["end_date"] > subscription["end_date"]
    assert sent_events() == ["transaction_new", "subscription_renewed"]


def test_coupons_come_and_go(shop, subscription):
    path = f"/v1/subscriptions/{subscription['id']}/coupons/"
    assert shop.call("POST", path, {"coupon_id": "77"}).status_code == 201
    assert [coupon["coupon_id"] for coupon in shop.get(path)] == [77]
    assert shop.call("DELETE", path).status_code == 204
    assert shop.get(path) == []


def test_an_order_by_api_has_a_gift_message_and_no_recipient(shop):
    [customer_id] = shop.people(1)
    instance = shop.get("/v1/products/?product_type=1")["results"][0]["instances"][0]
    body = {
        "customer": {"id": str(customer_id)},
        "products": [{"product_instance": {"id": instance["id"]}}],
        "order_gift_info": {"gift_message": "Hi"},
    }

    made = shop.call("POST", "/v1/orders/", body)

    assert made.status_code == 201
    assert (made.json["is_gift"], set(made.json["order_gift_info"])) == (True, {"gift_message", "id"})


def test_metadata_is_merged_replaced_and_cleared(shop):
    [customer_id] = shop.people(1)
    path = f"/v1/customers/{customer_id}/metadata/"
    shop.call("PUT", path, {"a": 1})
    assert shop.call("PUT", path, {"b": 2}).json["data"] == {"a": 1, "b": 2}
    assert shop.call("POST", path, {"c": 3}).json["data"] == {"c": 3}
    assert shop.call("DELETE", path).status_code == 204
    assert shop.get(path)["data"] == {}


def test_a_body_that_is_no_object_is_a_400(shop):
    [customer_id] = shop.people(1)
    assert shop.call("PUT", f"/v1/customers/{customer_id}/", ["note"]).status_code == 400
