"""The events that the warehouse posts to a shop."""

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.signed_messages import find_fault
from sandbox.warehouse.posting import post_to_loopback
from sandbox.warehouse.server import run_in_thread
from tests.sandbox.warehouse.client import KEYS, Generic, ThreePl, Warehouse

NUMBER = "SUB-90000001"
URL = "http://127.0.0.1:9/fulfilment/1/events"
SECRET = "whsec_c2hvcC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZjAxMjM="


@pytest.fixture
def listening(warehouse: Warehouse) -> Warehouse:
    warehouse.control("POST", "listeners", {"channel": "generic", "url": URL, "secret": SECRET})
    warehouse.control("POST", "listeners", {"channel": "3pl", "url": URL})
    return warehouse


def flush(warehouse: Warehouse) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = warehouse.control("POST", "flush")["events"]
    return events


def bodies(warehouse: Warehouse) -> list[Any]:
    flush(warehouse)
    return [json.loads(body) for _, _, body in warehouse.posts]


def is_signed(manager: ThreePl, signature: str, body: bytes) -> bool:
    pem = manager.call("GET", "/events/webhook/key").json["publicKey"]
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(base64.b64decode(signature), body, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_a_shipment_is_posted_with_a_signature(sender: Generic, listening: Warehouse):
    sender.create()
    listening.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}])
    flush(listening)

    (url, headers, body) = listening.posts[0]

    event = json.loads(body)
    assert (url, find_fault(SECRET, headers, body, listening.clock.seconds)) == (URL, None)
    assert (event["type"], event["timestamp"]) == ("shipment.shipped", "2026-03-01T09:00:00Z")
    assert (event["data"]["order_number"], event["data"]["complete"]) == (NUMBER, True)
    assert event["data"]["packages"][0]["tracking_number"] == "TEST01"


def test_a_part_of_an_order_is_posted_as_incomplete(sender: Generic, listening: Warehouse):
    sender.create()
    listening.do("ship", NUMBER, complete=False)

    assert [event["data"]["complete"] for event in bodies(listening)] == [False]


@pytest.mark.parametrize(("action", "kind"), [("cancel_at_warehouse", "order.cancelled"), ("hold", "order.rejected")])
def test_what_else_happens_to_an_order_is_posted(sender: Generic, listening: Warehouse, action, kind):
    sender.create()
    listening.do(action, NUMBER)

    assert [event["type"] for event in bodies(listening)] == [kind]


def test_nothing_is_posted_before_a_shop_listens(sender: Generic, warehouse: Warehouse):
    sender.create()
    warehouse.do("ship", NUMBER)

    assert flush(warehouse) == []


def test_an_event_that_is_not_taken_is_posted_again_with_its_id(sender: Generic, listening: Warehouse):
    listening.shop_answers = None
    sender.create()
    listening.do("ship", NUMBER)
    flush(listening)
    early = flush(listening)
    listening.clock.seconds += 5
    listening.shop_answers = 202
    (event,) = flush(listening)

    assert early == []
    assert (event["state"], event["statuses"]) == ("delivered", [None, 202])
    assert len({headers["webhook-id"] for _, headers, _ in listening.posts}) == 1


def test_an_event_is_given_up_when_the_shop_is_gone(sender: Generic, listening: Warehouse):
    listening.shop_answers = 410
    sender.create()
    listening.do("ship", NUMBER)

    assert flush(listening)[0]["state"] == "given_up"


def test_an_event_is_given_up_after_about_six_hours(sender: Generic, listening: Warehouse):
    listening.shop_answers = 500
    sender.create()
    listening.do("ship", NUMBER)
    for _ in range(12):
        flush(listening)
        listening.clock.seconds += 3600

    (event,) = listening.control("GET", "events")["events"]
    assert (event["state"], len(event["statuses"])) == ("given_up", 11)


@pytest.mark.parametrize("flaw", ["wrong_key", "stale", "changed_body", "unsigned"])
def test_a_made_up_event_may_have_a_flawed_signature(listening: Warehouse, flaw):
    sent = listening.control("POST", "send", {"type": "shipment.shipped", "data": {}, "flaw": flaw})

    (_, headers, body) = listening.posts[0]
    assert sent["status"] == 202
    assert find_fault(SECRET, headers, body, listening.clock.seconds)


def test_a_made_up_event_may_have_any_body_and_id(listening: Warehouse):
    listening.control("POST", "send", {"body": "{", "message_id": "msg_x"})

    (_, headers, body) = listening.posts[0]
    assert (headers["webhook-id"], body) == ("msg_x", b"{")


def test_a_made_up_event_needs_a_listener(warehouse: Warehouse):
    assert "error" in warehouse.control("POST", "send", {"type": "shipment.shipped"}, 400)


def test_3pl_events_hold_json_in_json(manager: ThreePl, listening: Warehouse):
    order_id = manager.create().json["readOnly"]["orderId"]
    listening.do("ship", NUMBER)

    (created, confirmed) = bodies(listening)

    assert (created["eventType"], confirmed["eventType"]) == ("OrderCreate", "OrderConfirm")
    assert json.loads(confirmed["data"]) == {"OrderId": str(order_id)}
    assert created["wmsEventId"] != confirmed["wmsEventId"]


def test_3pl_events_are_signed_with_the_published_key(manager: ThreePl, listening: Warehouse):
    manager.create()
    listening.do("cancel_at_warehouse", NUMBER)
    flush(listening)

    (_, headers, body) = listening.posts[1]

    assert json.loads(body)["eventType"] == "OrderCancel"
    assert (is_signed(manager, headers["Signature"], body), is_signed(manager, headers["Signature"], b"x")) == (
        True,
        False,
    )


def test_a_key_that_has_not_changed_is_a_304(manager: ThreePl, warehouse: Warehouse):
    retrieved = manager.call("GET", "/events/webhook/key").json["retrievalDateISO"]
    warehouse.clock.seconds += 60
    unchanged = manager.call("GET", "/events/webhook/key", previousRetrievalDateISO=retrieved).status_code
    warehouse.control("POST", "rotate_key")

    assert unchanged == 304
    assert manager.call("GET", "/events/webhook/key", previousRetrievalDateISO=retrieved).status_code == 200


def test_events_are_posted_only_to_this_machine():
    assert post_to_loopback("http://192.0.2.1/x", {}, b"") is None


def test_a_running_warehouse_is_reached_over_its_socket():
    with run_in_thread(KEYS) as running:
        assert post_to_loopback(f"{running.url}/generic", {}, b"{}") == 401
