"""3PL Warehouse Manager: where tracking numbers are."""

from typing import Any

from tests.sandbox.warehouse.client import ThreePl, Warehouse

NUMBER = "SUB-90000001"
TWO = [{"tracking_number": "TEST01"}, {"tracking_number": "TEST02", "lines": []}]


def places(order: Any) -> list[Any]:
    return [
        order["parcelResponse"]["trackingNumbers"],
        [package["trackingNumber"] for package in order["readOnly"]["packages"]],
        order["routingInfo"]["trackingNumber"],
    ]


def test_a_shipped_order_has_its_tracking_in_three_places(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER, packages=TWO)

    order = manager.read(NUMBER)

    assert (order["readOnly"]["status"], order["readOnly"]["isClosed"]) == (1, True)
    assert places(order) == [["TEST01", "TEST02"], ["TEST01", "TEST02"], "TEST01\nTEST02"]


def test_the_tracking_may_be_in_one_place_only(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(tracking_places=["routing"])
    manager.create()
    warehouse.do("ship", NUMBER, packages=TWO)

    assert places(manager.read(NUMBER)) == [[], ["", ""], "TEST01\nTEST02"]


def test_the_tracking_may_be_in_the_list_of_packages_only(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(tracking_places=["package_list"])
    manager.create()
    warehouse.do("ship", NUMBER, packages=TWO)

    listed = manager.call("GET", f"/orders/{manager.id_of(NUMBER)}/packages").json["_embedded"].popitem()

    assert places(manager.read(NUMBER)) == [[], ["", ""], None]
    assert listed[0] == "http://api.3plCentral.com/rels/orders/package"
    assert [package["trackingNumber"] for package in listed[1]] == ["TEST01", "TEST02"]


def test_the_numbers_of_return_labels_are_elsewhere(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER)

    order = manager.read(NUMBER)

    (returned,) = order["parcelResponse"]["returnTrackingNumbers"]
    assert order["savedElements"][-1] == {"name": "SmallParcelReturnTrackingNumbers", "value": returned}
    assert returned not in str(places(order))


def test_details_are_left_out_unless_asked_for(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER)

    (bare,) = manager.find(f"referenceNum=={NUMBER}")
    (asked,) = manager.find(f"referenceNum=={NUMBER}", detail="Packages,SmallParcel")

    assert ("packages" in bare["readOnly"], "parcelResponse" in bare) == (False, False)
    assert ("packages" in asked["readOnly"], "parcelResponse" in asked, "savedElements" in asked) == (True, True, False)


def test_tracking_may_appear_before_the_order_is_closed(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER, complete=False)

    order = manager.read(NUMBER)

    assert (order["readOnly"]["status"], len(order["readOnly"]["packages"])) == (0, 1)


def test_the_status_may_be_missing(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(shows_status=False)
    manager.create()
    warehouse.do("ship", NUMBER)

    assert "status" not in manager.read(NUMBER)["readOnly"]
    assert manager.read(NUMBER)["readOnly"]["isClosed"] is True


def test_an_empty_date_is_the_first_of_all(manager: ThreePl):
    manager.create()

    assert manager.read(NUMBER)["readOnly"]["smallParcelShipDate"].startswith("0001-01-01")


def test_times_may_be_those_of_the_warehouse(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(utc_offset_h=-6)
    manager.create()

    assert manager.read(NUMBER)["readOnly"]["creationDate"] == "2026-03-01T03:00:00"


def test_the_tracking_report_has_a_row_for_each_package(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER, packages=TWO)

    answer = manager.call("GET", "/orders/shipmentstrackinginfo", rql=f"referenceNum=={NUMBER}").json

    rel, rows = answer["_embedded"].popitem()
    assert rel == "http://api.3plCentral.com/rels/orders/orderparceltrackpackageinfo"
    assert [row["trackingNumber"] for row in rows] == ["TEST01", "TEST02"]
    assert rows[0]["trackingUrl"] == "https://track.example.com/TEST01"


def test_page_0_of_the_tracking_report_is_the_count(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("ship", NUMBER, packages=TWO)

    answer = manager.call("GET", "/orders/shipmentstrackinginfo", pgnum="0").json

    assert (answer["totalResults"], "_embedded" in answer) == (2, False)


def test_the_tracking_report_may_not_be_part_of_the_contract(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(has_tracking_report=False)

    assert manager.call("GET", "/orders/shipmentstrackinginfo").status_code == 403
