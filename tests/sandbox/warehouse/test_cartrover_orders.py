"""CartRover: creating, reading and cancelling orders."""

import json

import pytest

from tests.sandbox.warehouse.client import CartRover, Warehouse, basic, cartrover_order

NUMBER = "SUB-90000001"


def test_a_new_order_is_answered_with_its_number(shop: CartRover):
    assert shop.create() == {"success_code": True, "cust_ref": NUMBER, "order_number": NUMBER}


def test_a_list_of_one_order_is_taken_too(shop: CartRover):
    answer = shop.call("POST", "/cart/orders/cartrover", [cartrover_order()])

    assert answer.json == {"success_code": True, "cust_ref": NUMBER, "order_number": NUMBER}


def test_the_same_number_again_is_a_failure_with_status_200(shop: CartRover, warehouse: Warehouse):
    shop.create()

    answer = shop.call("POST", "/cart/orders/cartrover", cartrover_order())

    assert answer.status_code == 200
    assert answer.json == {"success_code": False, "error_code": "Failure", "message": "OrderDuplicate"}
    assert warehouse.counts()["orders"] == 1


def test_a_cancelled_orders_number_stays_taken(shop: CartRover):
    shop.create()
    shop.cancel(NUMBER)

    assert shop.create()["message"] == "OrderDuplicate"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ship_city": ""}, "Order missing required field(s): ship_city"),
        ({"ship_state": ""}, "Order missing required field(s): ship_state"),
        ({"cust_last_name": ""}, "Order missing required field(s): cust_first_name, cust_last_name or cust_company"),
        ({"ship_country": "US"}, "Invalid ship_country: US"),
        ({"sub_total": "much"}, "Invalid sub_total"),
        ({"items": []}, "Order missing required field(s): items"),
        ({"items": [{"item": "A", "quantity": 0}]}, "Invalid quantity of line 1"),
    ],
)
def test_an_incomplete_order_is_invalid(shop: CartRover, fields, message):
    assert shop.create(**fields) == {"success_code": False, "error_code": "Invalid", "message": message}


def test_an_address_in_a_country_without_states_needs_none(shop: CartRover):
    assert shop.create(ship_country="GBR", ship_state="")["success_code"] is True


def test_a_billing_copy_needs_no_customer(shop: CartRover):
    assert shop.create(ship_is_billing=True, cust_last_name=None)["success_code"] is True


def test_a_batch_names_what_failed(shop: CartRover):
    shop.create("1")

    answer = shop.call("POST", "/cart/orders/batch", [cartrover_order("1"), cartrover_order("2")]).json

    assert answer["response"] == {
        "success": [{"cust_ref": "2", "cust_po_no": "2"}],
        "failed": [{"cust_ref": "1", "cust_po_no": "1", "message": "OrderDuplicate", "index_pos": 0}],
    }


def test_a_wrong_key_is_a_401_in_the_usual_shape(shop: CartRover):
    shop.authorization = basic("sandbox-user", "other")

    answer = shop.call("GET", "/cart/orders/list/new", limit="1")

    assert answer.status_code == 401
    assert answer.json["success_code"] is False


def test_an_unknown_number_is_invalid(shop: CartRover):
    answer = shop.call("GET", "/cart/orders/status/1").json

    assert answer == {"success_code": False, "error_code": "Invalid", "message": "Order not found"}


def test_a_read_shows_the_address_as_the_warehouse_keeps_it(shop: CartRover):
    shop.create()

    order = shop.read(NUMBER)

    assert (order["ship_last_name"], order["ship_address_1"]) == ("RECIPIENT", "1 TEST STREET")
    assert order["ship_zip"] == "00000-1000"


def test_a_read_has_texts_for_numbers_and_null_for_what_is_unset(shop: CartRover):
    shop.create()

    order = shop.read(NUMBER)

    assert (order["items"][0]["quantity"], order["sub_total"]) == ("1", "0.00")
    assert (order["gift_message"], order["cancel_date"], order["items"][0]["alt_sku"]) == (None, None, None)


def test_a_line_has_its_description_with_a_capital(shop: CartRover):
    shop.create(items=[{"item": "A", "quantity": 1, "description": "Tea Box"}])

    assert shop.read(NUMBER)["items"][0]["Description"] == "Tea Box"


def test_times_are_utc_with_an_offset(shop: CartRover):
    shop.create()

    assert shop.read(NUMBER)["created_date_time"] == "2026-03-01T09:00:00+00:00"


def test_the_error_text_may_be_in_the_older_field(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(error_text="status_message")

    assert shop.call("GET", "/cart/orders/1").json == {
        "success_code": False,
        "error_code": "Invalid",
        "status_message": "Order not found",
    }


def test_the_error_text_may_be_empty_with_details_elsewhere(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(error_text="error_response")

    answer = shop.call("GET", "/cart/orders/1").json

    assert answer["message"] == ""
    assert answer["error_response"] == {"details": "Order not found"}


def test_every_answer_has_a_process_id_of_its_own(shop: CartRover):
    ids = {shop.call("GET", "/cart/list").headers["X-CartRover-Process-ID"] for _ in range(2)}

    assert len(ids) == 2


def test_an_order_is_cancelled(shop: CartRover):
    shop.create()

    assert shop.cancel(NUMBER) == {"success_code": True, "response": {"success": True, "message": ""}}
    assert shop.status(NUMBER) == "canceled"


@pytest.mark.parametrize("step", ["pick", "pack", "ship"])
def test_a_cancel_is_refused_once_the_box_is_picked(shop: CartRover, warehouse: Warehouse, step):
    shop.create()
    warehouse.do(step, NUMBER)

    answer = shop.cancel(NUMBER)

    assert answer["success_code"] is True
    assert answer["response"]["success"] is False
    assert shop.status(NUMBER) != "canceled"


def test_a_cancel_before_the_delivery_to_the_warehouse_stops_the_sending(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(delivery_s=60)
    shop.create()
    shop.cancel(NUMBER)

    order = shop.read(NUMBER)

    assert (order["order_status"], order["sending_canceled"], order["delivered_to_wms_date"]) == ("new", "Y", None)


def test_an_order_is_at_the_warehouse_after_its_delivery(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(delivery_s=60)
    shop.create()
    before = shop.status(NUMBER)
    warehouse.clock.seconds += 60

    assert (before, shop.status(NUMBER)) == ("new", "at_wms")


def test_an_accepted_cancel_may_take_its_time(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(cancel_takes_s=300)
    shop.create()
    accepted = shop.cancel(NUMBER)["response"]["success"]
    before = shop.status(NUMBER)
    warehouse.clock.seconds += 300

    assert (accepted, before, shop.status(NUMBER)) == (True, "at_wms", "canceled")


def test_a_box_shipped_before_the_cancel_takes_effect_stays_shipped(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(cancel_takes_s=300)
    shop.create()
    shop.cancel(NUMBER)
    warehouse.do("ship", NUMBER)
    warehouse.clock.seconds += 300

    assert shop.status(NUMBER) == "shipped"


def test_the_older_cancel_works_only_shortly_after_the_order(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    shop.create("2")
    early = shop.call("POST", "/cart/orders/cancel/cartrover", {"cust_ref": "1"}).json
    warehouse.clock.seconds += 181
    late = shop.call("POST", "/cart/orders/cancel/cartrover", {"cust_ref": "2"}).json

    assert early == {"success_code": True}
    assert late["error_code"] == "Failure"
    assert (shop.status("1"), shop.status("2")) == ("canceled", "at_wms")


def test_an_unknown_sku_puts_the_order_into_error(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(unknown_skus=["BOX-2602"])

    accepted = shop.create()["success_code"]

    assert (accepted, shop.status(NUMBER)) == (True, "error")
    assert "BOX-2602" in shop.read(NUMBER)["error_reason"]


def test_a_body_without_json_is_invalid(shop: CartRover):
    answer = shop.call("POST", "/cart/orders/cartrover", b"<order/>")

    assert json.loads(answer.data)["error_code"] == "Invalid"
