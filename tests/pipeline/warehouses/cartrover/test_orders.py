from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Content, Line, Package, ShippedPage, Totals, WarehouseOrder
from pipeline.warehouses.cartrover import CartRover
from pipeline.warehouses.cartrover.order_body import build_order, split_name
from pipeline.warehouses.cartrover.orders import parse_order
from tests.pipeline.warehouses.kit import NOW_US, ORDER, RecordedHTTP, answer, make_tools

CONFIG = {"api_user": "user", "api_key": "key"}
SHIPMENT = {
    "carrier": "USPS",
    "method": "09",
    "tracking_no": "test 0000 01",
    "tracking_no_secondary": None,
    "tracking_url": None,
    "date": "2026-02-02T16:00:00+00:00",
    "items": [{"item": "BOX-2602", "quantity": "1"}],
}
PACKAGE = Package("TEST000001", "USPS", "09", "", NOW_US, (("BOX-2602", 1),))


def test_an_order_is_written_as_new_order_takes_it():
    assert build_order(ORDER) == {
        "cust_ref": "SUB-90000001",
        "cust_po_no": "SUB-90000001",
        "order_date": "2026-01-02",
        "requested_ship_date": "2026-02-01",
        "ship_company": "",
        "ship_first_name": "Example",
        "ship_last_name": "Recipient",
        "ship_address_1": "1 Test Street",
        "ship_address_2": "Unit 2",
        "ship_city": "Testville",
        "ship_state": "TX",
        "ship_zip": "00000",
        "ship_country": "USA",
        "ship_phone": "",
        "ship_e_mail": "",
        "ship_address_type": "R",
        "ship_is_billing": False,
        "cust_first_name": "Example",
        "cust_last_name": "Buyer",
        "cust_e_mail": "buyer@example.com",
        "customer_id": "60000001",
        "ship_code": "SUBSCRIPTION",
        "ship_code_description": "Cratejoy subscription shipment",
        "gift_message": "Enjoy the tea!",
        "sub_total": 0.0,
        "order_discount": 0.0,
        "sales_tax": 0.0,
        "shipping_handling": 0.0,
        "grand_total": 0.0,
        "currency_code": "USD",
        "custom_field_1": "90000001",
        "custom_field_2": "80000001",
        "custom_field_3": "70000001",
        "extra_fields": {"cratejoy_cycle": "3", "cratejoy_billing_type": "standard", "ship_carrier": ""},
        "items": [
            {
                "line_no": 1,
                "item": "BOX-2602",
                "quantity": 1,
                "price": 0.0,
                "extended_amount": 0.0,
                "description": "Tea Box (Size: Medium)",
                "line_item_id": "50000001",
            }
        ],
    }


@pytest.mark.parametrize(
    ("currency", "price", "written"), [("USD", 1999, (19.99, 39.98, 45.48)), ("JPY", 1999, (1999.0, 3998.0, 4548.0))]
)
def test_money_is_in_units_and_the_totals_add_up(currency, price, written):
    lines = (Line(1, "MUG", "MUG", "Mug", 2, (1, 2), price),)
    order = replace(ORDER, lines=lines, totals=Totals(currency, shipping=500, tax=150, discount=100))

    body = build_order(order)

    assert (body["items"][0]["price"], body["sub_total"], body["grand_total"]) == written


def test_without_a_buyer_the_recipient_is_billed():
    body = build_order(replace(ORDER, bill_to_name=""))

    assert body["ship_is_billing"] is True
    assert not [name for name in body if name.startswith("cust_") and name not in {"cust_ref", "cust_po_no"}]


@pytest.mark.parametrize(
    ("name", "parts"),
    [("Ana Maria Test", ("Ana Maria", "Test")), ("Cher", ("", "Cher")), ("", ("", "")), (" A  B ", ("A", "B"))],
)
def test_a_name_is_split_before_its_last_word(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("fields", "progress", "note"),
    [
        ({"order_status": "new"}, "open", ""),
        ({"order_status": "new", "sending_canceled": "Y"}, "cancelled", ""),
        ({"order_status": "at_wms"}, "open", ""),
        ({"order_status": "partial"}, "partial", ""),
        ({"order_status": "shipped"}, "shipped", ""),
        ({"order_status": "shipped", "num_to_ship": "1"}, "partial", ""),
        ({"order_status": "shipped", "num_to_ship": -4}, "shipped", ""),
        ({"order_status": "confirmed"}, "shipped", ""),
        ({"order_status": "error"}, "stopped", "error"),
        ({"order_status": "canceled"}, "cancelled", ""),
        ({"order_status": "at_wms", "on_hold": "Y"}, "open", "on_hold"),
        ({"order_status": "astray"}, "open", "astray"),
        ({}, "open", ""),
    ],
)
def test_each_status(fields, progress, note):
    assert parse_order({"cust_ref": "SUB-1"} | fields) == WarehouseOrder("SUB-1", "SUB-1", progress, note=note)


def test_the_words_of_an_error_are_kept_apart_since_they_may_name_the_recipient():
    order = parse_order({"cust_ref": "SUB-1", "order_status": "error", "error_reason": "Example Recipient"})

    assert (order.complaint, "Recipient" in repr(order)) == ("Example Recipient", False)


def test_a_read_shows_the_packages_and_the_content():
    row = {
        "cust_ref": "SUB-1",
        "order_status": "shipped",
        "ship_first_name": None,
        "ship_last_name": "RECIPIENT",
        "ship_zip": "00000-1234",
        "items": [{"item": "MUG", "quantity": 2}, {"item": "BOX-2602", "quantity": "1.0"}],
        "shipments": [SHIPMENT, {"tracking_no": None}, "odd"],
    }

    found = parse_order(row)

    assert found.packages == (PACKAGE,)
    assert found.content == Content((("BOX-2602", 1), ("MUG", 2)), "00000-1234", "RECIPIENT")


def test_a_full_read_without_a_status_is_completed_by_the_status():
    full = {"cust_ref": "SUB-1", "ship_zip": "1", "ship_last_name": "X", "items": []}
    http = RecordedHTTP(
        answer({"success_code": True, "response": full}),
        answer({"success_code": True, "response": {"cust_ref": "SUB-1", "order_status": "canceled"}}),
    )

    found = CartRover(CONFIG, make_tools(http)).find("SUB-1")

    assert (found.progress, found.content) == ("cancelled", Content((), "1", "X"))


def test_a_row_without_a_number_is_left_out():
    assert parse_order({"order_status": "shipped"}) is None


def rows(count: int) -> list[dict[str, object]]:
    return [{"cust_ref": str(number), "order_status": "shipped"} for number in range(count)]


def test_the_lists_are_read_page_by_page_one_after_the_other():
    pages = [answer({"success_code": True, "response": rows(count)}) for count in (100, 3, 0, 1, 2)]
    http = RecordedHTTP(*pages)
    warehouse, cursor, counts = CartRover(CONFIG, make_tools(http)), "", []

    for _ in range(5):
        page = warehouse.list_shipped([], cursor)
        assert isinstance(page, ShippedPage)
        cursor = page.cursor
        counts.append((len(page.orders), cursor))

    assert counts == [(100, "shipped:2"), (3, "partial:1"), (0, "canceled:1"), (1, "error:1"), (2, "")]
    assert [request.url.partition("/list/")[2] for request in http.requests] == [
        "shipped?limit=100&page=1",
        "shipped?limit=100&page=2",
        "partial?limit=100&page=1",
        "canceled?limit=100&page=1&from_date=2026-01-19T16%3A00%3A00Z&to_date=2026-02-03T16%3A00%3A00Z",
        "error?limit=100&page=1&from_date=2026-01-19T16%3A00%3A00Z&to_date=2026-02-03T16%3A00%3A00Z",
    ]


@pytest.mark.parametrize("cursor", ["SUB-51", "one:SUB-51", "shipped:", "new:1", ":2"])
def test_a_cursor_of_another_warehouse_begins_the_lists_anew(cursor):
    http = RecordedHTTP(answer({"success_code": True, "response": []}))

    page = CartRover(CONFIG, make_tools(http)).list_shipped([], cursor)

    assert page == ShippedPage((), "partial:1")
    assert http.requests[0].url.endswith("/list/shipped?limit=100&page=1")


def test_a_list_that_is_none_ends_no_reading():
    page = CartRover(CONFIG, make_tools(RecordedHTTP(answer({"success_code": True})))).list_shipped([])

    assert page == type(page)("unreadable list: ")


def test_a_number_is_quoted_in_the_path():
    http = RecordedHTTP(answer({"success_code": True, "response": None}))

    CartRover(CONFIG, make_tools(http)).find("SUB/1?")

    assert http.requests[0].url.endswith("/cart/orders/SUB%2F1%3F")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "api_user is missing; api_key is missing"),
        (CONFIG | {"base_url": "http://example.com"}, "base_url must be an https address"),
        (CONFIG | {"cancel_call": "both"}, "cancel_call must be one of wms_cancel, legacy"),
    ],
)
def test_a_faulty_config_is_named(config, message):
    with pytest.raises(Misconfigured, match=message):
        CartRover(config, make_tools(RecordedHTTP()))
