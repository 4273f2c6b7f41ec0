"""The comparison of a store's boxes with a warehouse's orders."""

import json
import time
from typing import Any

import pytest
import responses
from click.testing import CliRunner

from sandbox.compare.boxes import compare_boxes, main
from sandbox.store.app import create_app
from sandbox.store.world import Clocks, Options, World
from tests.sandbox.warehouse.client import CartRover, Warehouse, basic

ADDRESS = {"street": "1 Test Street", "unit": "Unit 2", "zip_code": "00000", "to": "Robin Receiver"}
SHIP_TO = {"name": "Robin Receiver", "address1": "1 Test Street", "address2": "Unit 2", "zip": "00000"}


def box(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "status": "unshipped",
        "financial_status": "paid",
        "is_test": False,
        "is_gift": False,
        "adjusted_ordered_at": "2026-03-03T00:00:00Z",
        "ship_address": ADDRESS,
        "former_addresses": [],
        "buyers_email": "dana@example.com",
        "lines": 1,
        "emails": 0,
        "shipped_puts": 0,
        "tracking_number": None,
        **changes,
    }


def confirmed(**changes: Any) -> dict[str, Any]:
    return box(**{"status": "shipped", "emails": 1, "shipped_puts": 1, "tracking_number": "T1", **changes})


def order(**changes: Any) -> dict[str, Any]:
    return {
        "channel": "generic",
        "order_number": "SUB-7",
        "shipment": "7",
        "stage": "open",
        "lines": [{"sku": "BOX", "quantity": 1}],
        "packages": [],
        "received": {"ship_to": SHIP_TO},
        **changes,
    }


def shipped(**changes: Any) -> dict[str, Any]:
    return order(**{"stage": "shipped", "packages": [{"tracking_number": "t1"}], **changes})


def to(**changes: str) -> dict[str, Any]:
    return {"received": {"ship_to": SHIP_TO | changes}}


CARTROVER = {
    "ship_first_name": "Robin",
    "ship_last_name": "Receiver",
    "ship_address_1": "1 Test Street",
    "ship_address_2": "Unit 2",
    "ship_zip": "00000",
}


@pytest.mark.parametrize(
    ("boxes", "orders"),
    [
        ([box()], [order()]),
        ([confirmed()], [shipped()]),
        ([confirmed(tracking_number="T1, T2")], [shipped(packages=[{"tracking_number": t} for t in ("T1", "T2")])]),
        ([box(status="cancelled")], [order(stage="cancelled")]),
        ([box(status="shipped", emails=1)], []),
        ([box(financial_status="unpaid")], []),
        ([box(is_test=True)], []),
        ([box(former_addresses=[ADDRESS], ship_address=ADDRESS | {"street": "9 New St"})], [order()]),
        ([box()], [order(channel="cartrover", received=CARTROVER)]),
        ([box()], [order(channel="3pl", received={"shipTo": SHIP_TO})]),
        ([box()], [order(), order(shipment="WEB-1", order_number="WEB-1", received={})]),
    ],
)
def test_nothing_is_wrong(boxes, orders):
    assert compare_boxes(boxes, orders).offences == ()


@pytest.mark.parametrize(
    ("kind", "boxes", "orders"),
    [
        ("unsent", [box()], []),
        ("unsent", [box()], [order(stage="cancelled")]),
        ("twice", [box()], [order(), order(order_number="7")]),
        ("unknown", [], [order()]),
        ("test_sent", [box(is_test=True)], [order()]),
        ("live_though_cancelled", [box(status="cancelled")], [order()]),
        ("wrong_count", [box(lines=2)], [order()]),
        ("wrong_address", [box()], [order(**to(address2="Unit 3"))]),
        ("wrong_address", [box()], [order(**to(address2=""))]),
        ("wrong_address", [box()], [order(**to(name="Dana Buyer"))]),
        ("buyers_email_on_gift", [box(is_gift=True)], [order(**to(email="Dana@example.com"))]),
        ("unconfirmed", [box()], [shipped()]),
        ("unfounded", [confirmed()], [order()]),
        ("wrong_tracking", [confirmed(tracking_number="T9")], [shipped()]),
        ("written_twice", [confirmed(shipped_puts=2)], [shipped()]),
        ("emails", [confirmed(emails=2)], [shipped()]),
        ("emails", [box(emails=1)], [order()]),
    ],
)
def test_one_thing_is_wrong(kind, boxes, orders):
    assert [offence.kind for offence in compare_boxes(boxes, orders).offences] == [kind]


def test_a_box_with_a_later_date_need_not_have_been_sent():
    report = compare_boxes([box()], [], due_until="2026-03-02T00:00:00Z")

    assert (report.shipments_due, report.offences) == (0, ())


def test_the_counts_are_those_of_the_demo():
    boxes = [confirmed(), box(id=8), box(id=9)]
    orders = [shipped(), order(order_number="SUB-8", shipment="8"), order(order_number="8", shipment="8")]

    report = compare_boxes(boxes, orders).as_json()

    assert {name: report[name] for name in report if name not in {"kinds", "offences"}} == {
        "shipments_due": 3,
        "sent_to_warehouse": 2,
        "confirmed": 1,
        "store_emails": 1,
        "boxes_twice": 1,
    }
    assert report["kinds"] == {"twice": 1, "unsent": 1}


@pytest.fixture
def store():
    world = World(Options("id", "secret", seed=7), Clocks(time.time, time.monotonic))
    yield create_app(world).test_client()
    world.stop()


def test_what_both_sandboxes_say_can_be_compared(store):
    warehouse = Warehouse()
    shop = CartRover(warehouse)
    [shipment_id] = store.post("/_sandbox/sales", json={}).json["shipment_ids"]
    address = store.get("/_sandbox/shipments").json["shipments"][0]["ship_address"]
    fields = {"ship_first_name": "", "ship_last_name": address["to"], "ship_zip": address["zip_code"]}
    shop.create(f"SUB-{shipment_id}", ship_address_1=address["street"], ship_address_2=address["unit"], **fields)
    warehouse.do("ship", f"SUB-{shipment_id}", packages=[{"tracking_number": "TEST01"}])
    written = {"status": "shipped", "tracking_number": "TEST01"}
    store.put(f"/v1/shipments/{shipment_id}/", json=written, headers={"Authorization": basic("id", "secret")})

    shipments = store.get("/_sandbox/shipments").json["shipments"]
    report = compare_boxes(shipments, warehouse.control("GET", "state")["orders"])

    assert (report.sent_to_warehouse, report.confirmed, report.store_emails, report.offences) == (1, 1, 1, ())


@pytest.mark.parametrize(("offence", "code"), [({}, 0), ({"emails": 5}, 1)])
def test_the_command_ends_with_1_if_anything_is_wrong(offence, code):
    with responses.RequestsMock() as network:
        network.get("http://127.0.0.1:1/_sandbox/shipments", json={"shipments": [confirmed(**offence)]})
        network.get("http://127.0.0.1:2/_control/state", json={"orders": [shipped()]})
        arguments = ["--store", "http://127.0.0.1:1", "--warehouse", "http://127.0.0.1:2/"]
        result = CliRunner().invoke(main, arguments)

    assert result.exit_code == code
    assert json.loads(result.output)["sent_to_warehouse"] == 1


def test_the_command_ends_with_2_if_a_sandbox_does_not_answer():
    with responses.RequestsMock():
        result = CliRunner().invoke(main, ["--store", "http://127.0.0.1:1", "--warehouse", "http://127.0.0.1:2"])

    assert result.exit_code == 2
