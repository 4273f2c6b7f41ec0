from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pipeline.core.fulfilment import Content, NotFound, Package, RateLimited, Retryable, ShippedPage, WarehouseOrder
from pipeline.warehouses.extensiv_3pl.order_body import build_order
from pipeline.warehouses.extensiv_3pl.orders import parse_order
from pipeline.warehouses.extensiv_3pl.rql import is_number
from tests.pipeline.warehouses.extensiv_3pl.recorded import PACKAGES, listing, manager, problem, row
from tests.pipeline.warehouses.kit import NOW_US, ORDER, answer

SHIPPED = {"status": 1, "isClosed": True, "shipDate": "2026-02-02T16:00:00"}


def build(order):
    return build_order(order, customer_id=7, facility="1", billing_code="Prepaid")


def test_an_order_is_written_as_the_api_takes_it():
    order = replace(ORDER, ship_to=replace(ORDER.ship_to, country="US"), ship_code="Priority", carrier="USPS")

    assert build(order) == {
        "customerIdentifier": {"id": 7},
        "facilityIdentifier": {"id": 1},
        "referenceNum": "SUB-90000001",
        "poNum": "80000001",
        "externalId": "90000001",
        "notes": "Gift: Enjoy the tea!",
        "shippingNotes": "",
        "earliestShipDate": "2026-02-01T00:00:00",
        "orderType": "D2C",
        "routingInfo": {"carrier": "USPS", "mode": "Priority", "billingCode": "Prepaid"},
        "shipTo": {
            "companyName": "",
            "name": "Example Recipient",
            "address1": "1 Test Street",
            "address2": "Unit 2",
            "city": "Testville",
            "state": "TX",
            "zip": "00000",
            "country": "US",
            "phoneNumber": "",
            "emailAddress": "",
            "isAddressResidential": True,
        },
        "savedElements": [
            {"name": "CratejoyShipmentId", "value": "90000001"},
            {"name": "CratejoyCycle", "value": "3"},
        ],
        "orderItems": [{"itemIdentifier": {"sku": "BOX-2602"}, "qty": 1, "externalId": "50000001"}],
    }


def test_what_is_not_known_is_left_out():
    body = build_order(replace(ORDER, cycle=None, gift_message=""), customer_id=7, facility="DC-1", billing_code="")

    assert body["facilityIdentifier"] == {"name": "DC-1"}
    assert body["routingInfo"] == {"mode": "SUBSCRIPTION"}
    assert body["savedElements"] == [{"name": "CratejoyShipmentId", "value": "90000001"}]
    assert body["notes"] == ""


@pytest.mark.parametrize(
    ("shown", "progress"),
    [
        ({"status": 0}, "open"),
        ({"status": 1}, "shipped"),
        ({"status": 2}, "cancelled"),
        ({"status": 2, "isClosed": True}, "cancelled"),
        ({"status": 0, "isClosed": True}, "open"),
        ({"status": None, "isClosed": True}, "shipped"),
        ({"status": None, "isClosed": False}, "open"),
    ],
)
def test_each_status(shown, progress):
    assert parse_order(row(**shown)).progress == progress


def test_a_cancelled_order_that_counts_as_closed_needs_its_status_first():
    assert parse_order(row(status=2, isClosed=True, packages=[{"trackingNumber": "T1"}])).progress == "cancelled"


@pytest.mark.parametrize(
    ("places", "numbers"),
    [
        ({"parcelResponse": {"trackingNumbers": ["t1", "T2"], "returnTrackingNumbers": ["R1"]}}, ["T1", "T2"]),
        ({"routingInfo": {"trackingNumber": "T1\nT2\r\nT3"}}, ["T1", "T2", "T3"]),
        ({"routingInfo": {"trackingNumber": "T1, T2;T3|T4"}}, ["T1", "T2", "T3", "T4"]),
        (
            {"parcelResponse": {"trackingNumbers": ["T2"]}, "routingInfo": {"trackingNumber": "T1 T2"}},
            ["T2", "T1"],
        ),
        ({"savedElements": [{"name": "SmallParcelReturnTrackingNumbers", "value": "R1"}]}, []),
    ],
)
def test_tracking_numbers_are_found_in_every_place(places, numbers):
    assert [package.tracking_number for package in parse_order(row(**SHIPPED) | places).packages] == numbers


@pytest.mark.parametrize(
    ("dates", "shipped_at"),
    [
        ({"smallParcelShipDate": "2026-02-02T16:00:00", "shipDate": "2026-02-03T00:00:00"}, NOW_US),
        ({"smallParcelShipDate": "0001-01-01T00:00:00", "processDate": "2026-02-02T16:00:00Z"}, NOW_US),
        ({"shipDate": "soon"}, None),
    ],
)
def test_a_ship_date_is_the_first_that_is_one(dates, shipped_at):
    found = parse_order(row(status=1, packages=[{"trackingNumber": "T1"}], **dates))

    assert found.packages[0].shipped_at == shipped_at


def test_a_package_shows_its_content():
    packages = [{"trackingNumber": "T1", "packageContents": [{"orderItemId": 9_100_001, "qty": 1}, {"orderItemId": 5}]}]

    found = parse_order(row(packages=packages))

    assert found.packages == (Package("T1", "USPS", "Priority", lines=(("BOX-2602", 1),)),)
    assert found.progress == "partial"  # with a number, and not closed


def test_an_order_is_found_with_its_content():
    warehouse, http = manager(listing(row()))

    found = warehouse.find("SUB-90000001")

    assert found == WarehouseOrder(
        "SUB-90000001", "4100001", "open", content=Content((("BOX-2602", 1),), "00000", "Example Recipient")
    )
    query = parse_qs(urlsplit(http.requests[1].url).query)
    assert query["rql"] == ["referenceNum==SUB-90000001;readonly.customeridentifier.id==7"]
    assert http.requests[1].headers["Accept"] == "application/hal+json"


def test_a_found_order_without_its_lines_is_read_by_its_id():
    bare = row()
    del bare["_embedded"]

    found = manager(listing(bare), answer(row(), etag='"v1"'))[0].find("SUB-90000001")
    gone = problem(404, "ResourceNotFoundException", "NotFound")
    unreadable = manager(listing(bare), gone)[0].find("SUB-90000001")

    assert (found.content, found.version) == (Content((("BOX-2602", 1),), "00000", "Example Recipient"), '"v1"')
    assert unreadable == Retryable("an order that is listed cannot be read")


def test_of_several_orders_with_one_number_the_one_that_is_not_cancelled_counts():
    warehouse, _ = manager(listing(row(order_id=1, status=2), row(order_id=2)))

    assert warehouse.find("SUB-90000001").external_id == "2"


def test_several_living_orders_with_one_number_are_reported():
    found = manager(listing(row(order_id=10), row(order_id=9)))[0].find("SUB-90000001")

    assert (found.external_id, found.note) == ("9", "several_orders")


def numbered(count: int) -> list[tuple[str, str]]:
    return [(f"SUB-{number}", str(number)) for number in range(1, count + 1)]


def test_open_orders_are_asked_for_by_fifty():
    warehouse, http = manager(
        listing(row("SUB-1", 1, **SHIPPED, packages=[{"trackingNumber": "T1"}]), row("SUB-2", 2)),
        listing(row("SUB-51", 51, status=2)),
    )

    first = warehouse.list_shipped(numbered(51))
    second = warehouse.list_shipped(numbered(51), first.cursor)

    assert [order.order_number for order in first.orders] == ["SUB-1"]
    assert first.cursor == "SUB-51"
    assert [(order.order_number, order.progress) for order in second.orders] == [("SUB-51", "cancelled")]
    assert second.cursor == ""
    assert parse_qs(urlsplit(http.requests[2].url).query)["rql"] == [
        "referenceNum=in=(SUB-51);readonly.customeridentifier.id==7"
    ]


def test_without_open_orders_nothing_is_asked():
    warehouse, http = manager()

    assert warehouse.list_shipped([]) == ShippedPage(())
    assert http.requests == []


def test_a_tenant_that_refuses_the_list_is_asked_order_by_order():
    refused = problem(400, "QueryParameterException", "NotParsable")
    shipped = answer(row("SUB-1", 1, **SHIPPED, packages=[{"trackingNumber": "T1"}]))
    gone = problem(404, "ResourceNotFoundException", "NotFound")
    still_open = [answer(row(f"SUB-{number}", number)) for number in range(3, 11)]
    warehouse, _ = manager(refused, shipped, gone, *still_open, answer(row("SUB-11", 11, status=2)))

    first = warehouse.list_shipped(numbered(11))
    second = warehouse.list_shipped(numbered(11), first.cursor)

    assert [order.order_number for order in first.orders] == ["SUB-1"]
    assert first.cursor == "one:SUB-11"
    assert [order.progress for order in second.orders] == ["cancelled"]
    assert second.cursor == ""


def test_an_order_without_a_known_id_is_asked_for_by_its_number():
    warehouse, http = manager(listing())

    assert warehouse.list_shipped([("SUB-1", "")], "one:SUB-1") == ShippedPage(())
    assert "referenceNum%3D%3DSUB-1" in http.requests[1].url


def test_what_was_read_before_trouble_is_kept():
    shipped = answer(row("SUB-1", 1, **SHIPPED, packages=[{"trackingNumber": "T1"}]))
    warehouse, _ = manager(shipped, answer("", 429, retry_after="9"), answer("", 429, retry_after="9"))

    first = warehouse.list_shipped(numbered(3), "one:SUB-1")

    assert (len(first.orders), first.cursor) == (1, "one:SUB-2")
    assert warehouse.list_shipped(numbered(3), first.cursor) == RateLimited(9.0)


def test_a_shipped_order_without_a_number_has_its_packages_read():
    packages = listing({"trackingNumber": "T1", "packageContents": []}, relation=PACKAGES)
    warehouse, http = manager(listing(row("SUB-1", 1, **SHIPPED)), packages)

    page = warehouse.list_shipped([("SUB-1", "1")])

    assert [package.tracking_number for package in page.orders[0].packages] == ["T1"]
    assert page.orders[0].packages[0].shipped_at == NOW_US
    assert http.requests[2].url.endswith("/orders/1/packages")


def test_a_part_with_many_packages_ends_after_some_seconds_and_the_next_begins_there():
    shipped = [row(f"SUB-{number}", number, **SHIPPED) for number in (1, 3, 2)]  # a list has an order of its own
    packages = [listing({"trackingNumber": f"T{number}"}, relation=PACKAGES) for number in (1, 2, 3)]
    times = iter([0, 1_500_000, 2_500_000])
    warehouse, _ = manager(listing(*shipped), *packages)
    warehouse._now = lambda: next(times)

    page = warehouse.list_shipped(numbered(3))

    assert ([order.order_number for order in page.orders], page.cursor) == (["SUB-1", "SUB-2"], "SUB-3")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer("", 404), 0),
        (answer("", 500), 0),
        (answer("", 429, retry_after="9"), RateLimited(9.0)),
        (listing(relation=PACKAGES), 0),
    ],
)
def test_packages_that_cannot_be_read(given, expected):
    answered = manager(listing(row("SUB-1", 1, **SHIPPED)), given)[0].list_shipped([("SUB-1", "1")])

    assert (len(answered.orders[0].packages) if isinstance(answered, ShippedPage) else answered) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer("", 500), Retryable("answered 500")),
        (answer({"TotalResults": 0}), Retryable("answered without a list")),
        (problem(400, "QueryParameterException", "Required"), Retryable("Required")),
    ],
)
def test_a_list_that_cannot_be_read_ends_nothing(given, expected):
    assert manager(given)[0].list_shipped([("SUB-1", "1")]) == expected


@pytest.mark.parametrize("fields", [{"referenceNum": None}, {"readOnly": {}}, {"readOnly": None}])
def test_a_row_without_an_id_or_a_number_is_left_out(fields):
    assert parse_order(row() | fields) is None


def test_a_value_is_escaped_for_rql_before_it_is_for_the_url():
    assert is_number("A(1),B=2") == "referenceNum==A%281%29%2CB%3D2"
    assert unquote(unquote("A%2528")) == "A("


def test_a_look_up_of_a_missing_order_finds_nothing():
    assert manager(listing())[0].find("SUB-1") == NotFound()
