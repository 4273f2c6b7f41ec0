"""CartRover: the lists, shipments, acknowledgement and the rate limit."""

import pytest

from tests.sandbox.warehouse.client import CartRover, Warehouse, cartrover_order

NUMBER = "SUB-90000001"


def test_a_shipped_order_shows_its_packages(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01", "carrier": "UPS", "method": "Ground"}])

    (package,) = shop.read(NUMBER)["shipments"]

    assert (package["carrier"], package["method"], package["tracking_no"]) == ("UPS", "Ground", "TEST01")
    assert package["items"] == [{"item": "BOX-2602", "quantity": "1", "carton_code": None, "carton_num": "1"}]


def test_a_package_without_tracking_has_null(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": ""}])

    assert shop.read(NUMBER)["shipments"][0]["tracking_no"] is None


def test_an_incomplete_shipment_is_partial(shop: CartRover, warehouse: Warehouse):
    shop.create(items=[{"item": "A", "quantity": 2}])
    warehouse.do("ship", NUMBER, complete=False, packages=[{"lines": [{"sku": "A", "quantity": 1}]}])

    assert (shop.numbers("partial"), shop.numbers("shipped")) == ([NUMBER], [])


def test_the_rest_of_a_partial_order_goes_into_the_next_package(shop: CartRover, warehouse: Warehouse):
    shop.create(items=[{"item": "A", "quantity": 2}])
    warehouse.do("ship", NUMBER, complete=False, packages=[{"lines": [{"sku": "A", "quantity": 1}]}])
    warehouse.do("ship", NUMBER, packages=[{}])

    assert [package["items"][0]["quantity"] for package in shop.read(NUMBER)["shipments"]] == ["1", "1"]


def test_more_shipped_than_ordered_makes_num_to_ship_negative(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"lines": [{"sku": "BOX-2602", "quantity": 5}]}])

    (row,) = shop.call("GET", "/cart/orders/list/shipped").json["response"]

    assert (row["total_qty"], row["num_to_ship"], row["num_shipped"]) == ("1", -4, 5)


def test_an_acknowledged_order_leaves_the_list_of_shipped_ones(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}])

    answer = shop.acknowledge(NUMBER, "TEST01")

    assert answer == {"success_code": True}
    assert (shop.numbers("shipped"), shop.numbers("confirmed")) == ([], [NUMBER])


def test_an_acknowledgement_of_one_package_of_two_leaves_the_order_on_the_list(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}, {"tracking_number": "TEST02"}])
    shop.acknowledge(NUMBER, "TEST01")

    assert shop.numbers("shipped") == [NUMBER]


def test_a_package_after_the_acknowledgement_puts_the_order_back(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}])
    shop.acknowledge(NUMBER, "TEST01")
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST02"}])

    assert shop.numbers("shipped") == [NUMBER]


def test_an_acknowledgement_of_another_tracking_number_is_refused(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}])

    assert shop.acknowledge(NUMBER, "TEST09")["error_code"] == "Invalid"


def test_an_acknowledgement_of_an_order_that_is_not_shipped_is_refused(shop: CartRover):
    shop.create()

    assert shop.acknowledge(NUMBER)["message"] == "Order is not shipped"


def test_an_acknowledgement_without_a_list_of_shipments_is_refused(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.do("ship", NUMBER)
    body = {"order_status": "confirmed", "shipments": ["TEST01"]}

    assert shop.call("POST", f"/cart/orders/update/{NUMBER}", body).json["error_code"] == "Invalid"


def test_a_list_comes_in_pages_with_its_length(shop: CartRover):
    for number in range(5):
        shop.create(str(number))

    second = shop.call("GET", "/cart/orders/list/at_wms", limit="2", page="2")

    assert [row["cust_ref"] for row in second.json["response"]] == ["2", "3"]
    assert second.headers["total-records"] == "5"


def test_a_page_has_20_rows_unless_asked_otherwise(shop: CartRover):
    shop.call("POST", "/cart/orders/batch", [cartrover_order(str(number)) for number in range(25)])

    assert (len(shop.numbers("at_wms")), len(shop.numbers("at_wms", limit="100"))) == (20, 25)


@pytest.mark.parametrize("query", [{"limit": "101"}, {"page": "0"}, {"sort": "a"}, {"include_aliases": "1"}])
def test_a_wrong_parameter_is_invalid(shop: CartRover, query):
    assert shop.call("GET", "/cart/orders/list/new", **query).json["error_code"] == "Invalid"


def test_the_dates_of_shipped_orders_are_those_of_the_shipment(shop: CartRover, warehouse: Warehouse):
    shop.create()
    warehouse.clock.seconds += 3600
    warehouse.do("ship", NUMBER)

    assert shop.numbers("shipped", from_date="2026-03-01T09:30:00+00:00") == [NUMBER]
    assert shop.numbers("shipped", to_date="2026-03-01T09:30:00Z") == []


def test_an_unescaped_plus_in_a_date_is_refused(shop: CartRover):
    answer = shop.http.get(
        "/cartrover/v1/cart/orders/list/new?from_date=2026-03-01T09:30:00+00:00",
        headers={"Authorization": shop.authorization},
    )

    assert answer.json["error_code"] == "Invalid"


def test_an_open_ended_list_of_any_status_times_out(shop: CartRover):
    assert shop.call("GET", "/cart/orders/list/any").status_code == 504


def test_a_list_of_any_status_between_two_dates_has_all(shop: CartRover):
    shop.create("1")
    shop.create("2")
    shop.cancel("1")

    assert shop.numbers("any", from_date="2026-03-01T00:00:00Z", to_date="2026-03-02T00:00:00Z") == ["1", "2"]


def test_a_list_may_be_of_one_order_source(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    warehouse.do("orders", "777", received={"order_source": "OTHERSHOP"})

    assert shop.numbers("at_wms", order_source="OTHERSHOP") == ["777"]


def test_a_new_order_may_appear_late(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(visible_after_s=120)
    shop.create()
    before = shop.numbers("at_wms")
    warehouse.clock.seconds += 120

    assert (before, shop.numbers("at_wms")) == ([], [NUMBER])


def test_a_call_over_the_limit_is_answered_with_status_200(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(bucket_calls=2)
    answers = [shop.call("GET", "/cart/list") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.headers["X-CartRover-Api-Minute-Hits-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json == {
        "success_code": False,
        "error_code": "RateLimit",
        "message": "Over API Limit. Please slow down requests.",
    }


def test_the_bucket_refills_with_time(shop: CartRover, warehouse: Warehouse):
    warehouse.control("POST", "empty_bucket")
    refused = shop.call("GET", "/cart/list").json["success_code"]
    warehouse.clock.seconds += 0.7

    assert (refused, shop.call("GET", "/cart/list").json["success_code"]) == (False, True)


def test_new_orders_are_not_limited(shop: CartRover, warehouse: Warehouse):
    warehouse.control("POST", "empty_bucket")

    assert shop.create()["success_code"] is True


def test_ship_methods_can_be_listed_and_mapped(shop: CartRover):
    shop.call("POST", "/cart/shipmethod/CARTROVER", {"ship_code": "SUBSCRIPTION", "code": "USPS_PRIORITY"})

    listed = shop.call("GET", "/wms/shipmethod/list").json["response"]
    mapped = shop.call("GET", "/cart/shipmethod/list/CARTROVER").json["response"]

    assert set(listed[0]) == {"carrier", "code", "description"}
    assert mapped == [{"ship_code": "SUBSCRIPTION", "code": "USPS_PRIORITY"}]
