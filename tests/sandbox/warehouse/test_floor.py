"""What happens in the warehouse, and the control paths."""

import pytest

from tests.sandbox.warehouse.client import CartRover, Warehouse


def test_the_same_shipment_under_two_numbers_is_a_box_sent_twice(shop: CartRover, warehouse: Warehouse):
    shop.create("SUB-90000001")
    shop.create("90000001")

    counts = warehouse.counts()

    assert (counts["boxes_twice"], counts["twice"]) == (1, [["SUB-90000001", "90000001"]])


def test_a_new_order_after_a_cancel_is_no_box_twice(shop: CartRover, warehouse: Warehouse):
    shop.create("SUB-90000001")
    shop.cancel("SUB-90000001")
    shop.create("SUB-90000001-R1")

    assert warehouse.counts()["boxes_twice"] == 0


def test_a_warehouse_that_refuses_no_duplicates_counts_them(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(refuse_duplicates=False)
    shop.create("1")
    shop.create("1")

    assert warehouse.counts()["boxes_twice"] == 1


def test_numbers_of_other_shops_are_no_box_twice(warehouse: Warehouse):
    warehouse.do("orders", "WEB-17")
    warehouse.do("orders", "WEB-18")

    assert warehouse.counts()["boxes_twice"] == 0


def test_an_order_may_be_picked_packed_and_shipped_by_itself(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(auto_ship_s=30)
    shop.create("1")
    stages = []
    for _ in range(4):
        stages.append(warehouse.order("1")["stage"])
        warehouse.clock.seconds += 10

    assert stages == ["open", "picked", "packed", "shipped"]


def test_a_held_order_does_not_ship_by_itself(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(auto_ship_s=30)
    shop.create("1")
    warehouse.do("hold", "1", reason="Address")
    warehouse.clock.seconds += 60
    held = warehouse.order("1")["stage"]
    warehouse.do("release", "1")

    assert (held, warehouse.order("1")["stage"]) == ("open", "shipped")


def test_the_operator_may_cancel_a_packed_order(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    warehouse.do("pack", "1")
    warehouse.do("cancel_at_warehouse", "1")

    assert shop.status("1") == "canceled"


def test_a_cancelled_order_ships_only_by_force(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    shop.cancel("1")

    refused = warehouse.control("POST", "ship", {"order_number": "1"}, 409)
    warehouse.do("ship", "1", force=True)

    assert refused == {"error": "already_cancelled"}
    assert shop.status("1") == "shipped"


def test_the_operators_may_refuse_every_cancel(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(cancels="refuse")
    shop.create("1")

    assert shop.cancel("1")["response"]["success"] is False


def test_a_cancel_may_be_possible_until_the_box_ships(shop: CartRover, warehouse: Warehouse):
    warehouse.switch(cancel_until="ship")
    shop.create("1")
    warehouse.do("pack", "1")

    assert shop.cancel("1")["response"]["success"] is True


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("ship", {}, 400),
        ("ship", {"order_number": "1", "colour": "red"}, 400),
        ("ship", {"order_number": "none"}, 404),
        ("ship", {"order_number": "1", "packages": [{"weight": 1}]}, 400),
        ("faults", {"match": "/", "speed": 1}, 400),
        ("faults", {"match": "/"}, 400),
        ("faults", {"match": 7, "status": 500}, 400),
        ("faults", {"match": "/", "before": "ship"}, 400),
        ("ship", {"order_number": "1", "packages": [{"lines": [{"sku": "A"}]}]}, 400),
        ("switches", {"cancels": "maybe"}, 400),
        ("switches", {"colour": "red"}, 400),
    ],
)
def test_a_wrong_control_request_is_refused(shop: CartRover, warehouse: Warehouse, path, content, status):
    shop.create("1")

    assert "error" in warehouse.control("POST", path, content, status)


def test_a_reset_forgets_everything(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    warehouse.switch(cancels="refuse")
    warehouse.control("DELETE", "state")

    assert (warehouse.counts()["orders"], warehouse.requests()) == (0, [])
    assert warehouse.control("GET", "switches")["cancels"] == "accept"
