"""3PL Warehouse Manager: tokens, new orders, look-ups and cancels."""

import pytest

from tests.sandbox.warehouse.client import KEYS, ThreePl, Warehouse, basic, threepl_order

NUMBER = "SUB-90000001"
CANCEL = "POST /3pl/orders/*/canceler"


def test_a_token_lasts_an_hour(manager: ThreePl, warehouse: Warehouse):
    token = manager.get_token().json
    warehouse.clock.seconds += 3599
    before = manager.call("GET", "/orders").status_code
    warehouse.clock.seconds += 1

    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert (before, manager.call("GET", "/orders").status_code) == (200, 401)


def test_tokens_can_be_expired(manager: ThreePl, warehouse: Warehouse):
    warehouse.control("POST", "expire_tokens")

    assert manager.call("GET", "/orders").status_code == 401


def test_an_unknown_client_gets_no_token(manager: ThreePl):
    answer = manager.get_token(basic(KEYS.client_id, "other"))

    assert (answer.status_code, answer.json) == (401, {"Message": "invalid_client: client not registered"})


@pytest.mark.parametrize("body", [{"user_login": "other"}, {"tpl": KEYS.tpl.strip("{}")}])
def test_an_unknown_user_gets_no_token(manager: ThreePl, body):
    assert manager.get_token(**body).status_code == 401


def test_the_guid_of_the_warehouse_keeps_its_braces(manager: ThreePl):
    assert manager.get_token(user_login=None, tpl=KEYS.tpl, user_login_id="1").status_code == 200


def test_the_address_of_tokens_takes_no_get(manager: ThreePl):
    assert manager.call("GET", "/AuthServer/api/Token").status_code == 405


def test_a_new_order_has_an_id_an_etag_and_embedded_items(manager: ThreePl):
    answer = manager.create()

    order = answer.json
    assert (answer.status_code, answer.headers["ETag"][0]) == (201, '"')
    assert (order["readOnly"]["status"], order["readOnly"]["isClosed"], order["readOnly"]["packages"]) == (0, False, [])
    assert order["_embedded"]["http://api.3plCentral.com/rels/orders/item"][0]["qty"] == 1.0
    assert order["_links"]["self"]["href"] == f"/orders/{order['readOnly']['orderId']}"


def test_the_same_number_again_is_a_duplicate(manager: ThreePl, warehouse: Warehouse):
    manager.create()

    answer = manager.create()

    assert answer.status_code == 400
    assert answer.json == {
        "$type": "WMS.V2.Generic.Models.Exceptions.ModelValidationException, WMS.V2.Generic.Models",
        "ModelType": 0,
        "Properties": [{"Name": "ReferenceNum", "Value": NUMBER}],
        "ErrorCode": "Duplicate",
        "Hint": "",
    }
    assert warehouse.counts()["orders"] == 1


def test_a_cancelled_orders_number_stays_taken(manager: ThreePl):
    manager.create()
    manager.cancel(NUMBER)

    assert manager.create().json["ErrorCode"] == "Duplicate"


@pytest.mark.parametrize(
    ("fields", "code", "name"),
    [
        ({"customerIdentifier": None}, "Required", "CustomerIdentifier"),
        ({"shipTo": {"name": "A", "address1": "B", "city": "C", "zip": "1"}}, "Required", "ShipTo.Country"),
        ({"orderItems": []}, "Required", "OrderItems"),
        ({"orderItems": ["BOX"]}, "ValueNotSupported", "OrderItems"),
        ({"routingInfo": "USPS"}, "ValueNotSupported", "RoutingInfo"),
        ({"orderItems": [{"qty": 1}]}, "Required", "OrderItems.ItemIdentifier"),
        ({"orderItems": [{"itemIdentifier": {"sku": "A"}}]}, "Required", "OrderItems.Qty"),
        ({"orderItems": [{"itemIdentifier": {"sku": "A"}, "qty": -1}]}, "ValueNotSupported", "OrderItems.Qty"),
        ({"facilityIdentifier": {"id": 2}}, "DoesNotExist", "FacilityIdentifier.Id"),
        ({"customerIdentifier": {"name": "Other"}}, "DoesNotExist", "CustomerIdentifier.Name"),
        ({"orderItems": [{"itemIdentifier": {"sku": "GONE"}, "qty": 1}]}, "DoesNotExist", "ItemIdentifier.Sku"),
    ],
)
def test_a_wrong_order_is_refused(manager: ThreePl, warehouse: Warehouse, fields, code, name):
    warehouse.switch(unknown_skus=["GONE"])

    answer = manager.create(**fields)

    assert answer.status_code == 400
    assert (answer.json["ErrorCode"], answer.json["Properties"][0]["Name"]) == (code, name)


def test_a_name_is_enough_for_a_facility(manager: ThreePl):
    assert manager.create(facilityIdentifier={"name": "DC-1"}).status_code == 201


def test_an_order_is_found_by_its_number(manager: ThreePl):
    manager.create()

    (row,) = manager.find(f"referenceNum=={NUMBER};readonly.customeridentifier.id==7", detail="All", itemdetail="None")

    assert row["referenceNum"] == NUMBER
    assert "_embedded" not in row


def test_orders_are_found_by_a_list_of_numbers(manager: ThreePl):
    for number in ("1", "2", "3"):
        manager.create(number)

    assert [row["referenceNum"] for row in manager.find("referenceNum=in=(1,3,9)")] == ["1", "3"]


def test_no_result_has_no_embedded_list(manager: ThreePl):
    answer = manager.call("GET", "/orders", rql="referenceNum==1").json

    assert (answer["totalResults"], "_embedded" in answer) == (0, False)


def test_a_tenant_may_not_parse_lists(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(allows_rql_in=False)

    answer = manager.call("GET", "/orders", rql="referenceNum=in=(1,2)")

    assert (answer.status_code, answer.json["ErrorCode"]) == (400, "NotParsable")


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ({"rql": "colour==red"}, "DoesNotExist", "rql"),
        ({"rql": "referenceNum="}, "NotParsable", "rql"),
        ({"pgsiz": "1001"}, "NotParsable", "pgsiz"),
        ({"pgnum": "0"}, "NotParsable", "pgnum"),
        ({"sort": "colour"}, "DoesNotExist", "sort"),
    ],
)
def test_a_wrong_query_is_refused(manager: ThreePl, query, code, parameter):
    answer = manager.call("GET", "/orders", **query)

    assert answer.status_code == 400
    assert (answer.json["ErrorCode"], answer.json["Parameters"][0]["Name"]) == (code, parameter)


def test_pages_are_linked(manager: ThreePl):
    for number in ("1", "2", "3"):
        manager.create(number)

    first = manager.call("GET", "/orders", pgsiz="2").json
    second = manager.call("GET", first["_links"]["next"]["href"]).json

    assert [row["referenceNum"] for row in second["_embedded"].popitem()[1]] == ["3"]
    assert "next" not in second["_links"]


def test_orders_can_be_sorted(manager: ThreePl):
    for number in ("1", "2"):
        manager.create(number)

    assert [row["referenceNum"] for row in manager.find("", sort="-ReadOnly.OrderId")] == ["2", "1"]


def test_without_hal_the_answer_is_in_pascal_case(manager: ThreePl):
    manager.create()
    manager.accept = "application/json"

    answer = manager.call("GET", "/orders", rql=f"referenceNum=={NUMBER}", detail="All").json

    assert (answer["TotalResults"], "_embedded" in answer) == (1, False)
    order = answer["ResourceList"][0]
    assert (order["ReadOnly"]["Status"], order["OrderItems"][0]["ItemIdentifier"]["Sku"]) == (0, "BOX-2602")


def test_an_order_is_cancelled_with_its_etag(manager: ThreePl):
    manager.create()

    assert manager.cancel(NUMBER).status_code == 204
    assert manager.read(NUMBER)["readOnly"]["status"] == 2


@pytest.mark.parametrize("counts_as_closed", [True, False])
def test_a_cancelled_order_may_count_as_closed(manager: ThreePl, warehouse: Warehouse, counts_as_closed):
    warehouse.switch(cancelled_is_closed=counts_as_closed)
    manager.create()
    manager.cancel(NUMBER)

    found = manager.find("ReadOnly.IsClosed==true;ReadOnly.ProcessDate=ge=2026-02-28T00:00:00")

    assert [row["readOnly"]["status"] for row in found] == ([2] if counts_as_closed else [])


def test_a_cancel_without_an_etag_is_refused(manager: ThreePl):
    order_id = manager.create().json["readOnly"]["orderId"]

    assert manager.call("POST", f"/orders/{order_id}/canceler", {"reason": "x"}).status_code == 428


def test_an_etag_serves_once(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    etag = manager.etag(NUMBER)
    warehouse.do("touch", NUMBER)

    assert manager.cancel(NUMBER, etag).status_code == 412


def test_an_order_may_change_just_before_each_cancel(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.fault(CANCEL, touch=True, times=2)

    assert [manager.cancel(NUMBER).status_code for _ in range(3)] == [412, 412, 204]


def test_a_weak_etag_keeps_its_mark(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(weak_etags=True)
    manager.create()
    etag = manager.etag(NUMBER)

    assert etag.startswith('W/"')
    assert [manager.cancel(NUMBER, tag).status_code for tag in (etag[2:], etag)] == [412, 204]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("pick", "InUse"),
        ("pack", "AlreadyCompleted"),
        ("ship", "OrderConfirmed"),
        ("cancel_at_warehouse", "OrderCanceled"),
    ],
)
def test_a_cancel_that_comes_too_late_is_refused(manager: ThreePl, warehouse: Warehouse, action, code):
    manager.create()
    warehouse.do(action, NUMBER)

    answer = manager.cancel(NUMBER)

    assert (answer.status_code, answer.json["ErrorCode"]) == (403, code)
    assert "OperationException" in answer.json["$type"]


def test_a_cancel_of_an_order_on_hold_is_refused(manager: ThreePl, warehouse: Warehouse):
    manager.create()
    warehouse.do("hold", NUMBER, reason="Stock")

    assert manager.cancel(NUMBER).status_code == 403
    assert manager.read(NUMBER)["readOnly"]["onHoldDate"] == "2026-03-01T09:00:00"


def test_a_cancel_without_the_role_is_not_permitted(manager: ThreePl, warehouse: Warehouse):
    warehouse.switch(has_order_write=False)
    manager.create()

    answer = manager.cancel(NUMBER)

    assert answer.status_code == 403
    assert "AuthorizationException" in answer.json["$type"]


def test_a_cancel_needs_a_reason(manager: ThreePl):
    manager.create()

    assert manager.cancel(NUMBER, reason="").json["ErrorCode"] == "Required"


def test_an_unknown_order_is_not_found(manager: ThreePl):
    assert manager.call("POST", "/orders/17/canceler", {"reason": "x"}, '"1"').status_code == 404


def test_a_500_is_plain_text(manager: ThreePl, warehouse: Warehouse):
    warehouse.fault("POST /3pl/orders", status=500)

    answer = manager.create()

    assert (answer.status_code, answer.mimetype, answer.json) == (500, "text/plain", None)


def test_a_body_without_json_is_refused(manager: ThreePl):
    headers = {"Authorization": f"Bearer {manager.token}"}

    assert manager.http.post("/3pl/orders", data="<order/>", headers=headers).status_code == 400


def test_carriers_and_their_services_are_listed(manager: ThreePl):
    (usps, _) = manager.call("GET", "/properties/carriers").json["resourceList"]

    assert (usps["name"], usps["billingCodes"]) == ("USPS", ["Prepaid"])


def test_orders_of_other_protocols_are_not_shown(manager: ThreePl, warehouse: Warehouse):
    warehouse.do("orders", "1", channel="cartrover")

    assert manager.find("referenceNum==1") == []


def test_the_sent_order_is_kept_as_received(manager: ThreePl, warehouse: Warehouse):
    manager.create()

    assert warehouse.order(NUMBER)["received"] == threepl_order()
