"""The signed web hook: what a shop posts and asks."""

import pytest

from sandbox.signed_messages import find_fault, sign
from tests.sandbox.warehouse.client import Generic, Warehouse

NUMBER = "SUB-90000001"
SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
BODY = b'{"type":"order.create","data":{"order_number":"SUB-90000001"}}'
SIGNATURE = "v1,Bk/mbH0HAxMQXK8AvGmpS4IOdPByc0q+gt94GtgXyqs="


def headers(**changed: str) -> dict[str, str]:
    names = {"id": "msg_0001", "timestamp": "1767225600", "signature": SIGNATURE} | changed
    return {f"webhook-{name}": value for name, value in names.items()}


def test_the_signature_is_that_of_the_published_example():
    assert sign(SECRET, "msg_0001", 1_767_225_600, BODY) == SIGNATURE


@pytest.mark.parametrize("signature", [SIGNATURE, f"v1,b3RoZXI= {SIGNATURE}"])
def test_one_of_several_signatures_is_enough(signature):
    assert find_fault(SECRET, headers(signature=signature), BODY, 1_767_225_900) is None


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({}, 1_767_225_901),
        ({}, 1_767_225_299),
        ({"id": "msg_0002"}, 1_767_225_600),
        ({"timestamp": "yesterday"}, 1_767_225_600),
        ({"signature": "v1,b3RoZXI="}, 1_767_225_600),
        ({"signature": ""}, 1_767_225_600),
    ],
)
def test_a_message_with_wrong_headers_has_a_fault(changed, now):
    assert find_fault(SECRET, headers(**changed), BODY, now)


def test_a_new_order_is_accepted_with_an_id(sender: Generic):
    answer = sender.create()

    assert answer.status_code == 201
    assert (answer.json["status"], answer.json["external_id"][:2]) == ("accepted", "W-")


@pytest.mark.parametrize("status", [200, 202])
def test_an_order_may_be_accepted_with_another_status(sender: Generic, warehouse: Warehouse, status):
    warehouse.switch(created_status=status)

    assert sender.create().status_code == status


def test_a_message_with_a_known_id_gets_the_first_answer_again(sender: Generic, warehouse: Warehouse):
    first, again = sender.create(message_id="msg_a"), sender.create(message_id="msg_a")

    assert (again.status_code, again.json) == (201, first.json)
    assert warehouse.counts()["orders"] == 1


def test_a_refused_message_is_tried_again(sender: Generic, warehouse: Warehouse):
    warehouse.switch(unknown_skus=["BOX-2602"])
    first = sender.create(message_id="msg_a")
    warehouse.switch(unknown_skus=[])

    assert (first.status_code, sender.create(message_id="msg_a").status_code) == (422, 201)


def test_the_same_number_in_another_message_is_a_duplicate(sender: Generic):
    first = sender.create()

    answer = sender.create(fingerprint="f2")

    assert answer.status_code == 409
    assert answer.json == {"status": "duplicate", "external_id": first.json["external_id"], "fingerprint": "f1"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"order_number": ""}, "order_number"),
        ({"ship_to": None}, "ship_to"),
        ({"ship_to": {"name": "R", "address1": "1", "city": "T", "zip": "0"}}, "ship_to.country"),
        ({"lines": []}, "lines"),
        ({"lines": [{"quantity": 1}]}, "lines.0.sku"),
        ({"lines": [{"sku": "A", "quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "A", "quantity": 1}, {"sku": "GONE", "quantity": 1}]}, "lines.1.sku"),
    ],
)
def test_a_wrong_order_is_rejected(sender: Generic, warehouse: Warehouse, fields, field):
    warehouse.switch(unknown_skus=["GONE"])

    answer = sender.create(**fields)

    assert (answer.status_code, answer.json["status"]) == (422, "rejected")
    assert answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "body",
    [b"<order/>", b'{"type": "order.paint", "data": {}}', b'{"type": [], "data": {}}', b'{"type": "order.create"}'],
)
def test_a_message_that_cannot_be_read_is_a_400(sender: Generic, body):
    assert sender.send(body).status_code == 400


def test_a_wrong_signature_is_a_401(sender: Generic, warehouse: Warehouse):
    sender.secret = "whsec_b3RoZXI="

    assert (sender.create().status_code, sender.query().status_code) == (401, 401)
    assert warehouse.counts()["orders"] == 0


def test_an_endpoint_that_is_switched_off_is_a_410(sender: Generic, warehouse: Warehouse):
    warehouse.switch(is_endpoint_off=True)

    assert sender.create().status_code == 410


def test_a_cancel_is_done_at_once(sender: Generic):
    sender.create()

    answer = sender.cancel()

    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert sender.query().json["status"] == "cancelled"


def test_a_cancel_that_takes_a_while_is_accepted(sender: Generic, warehouse: Warehouse):
    warehouse.switch(cancel_takes_s=60)
    sender.create()

    answer = sender.cancel()

    assert (answer.status_code, answer.json["status"], sender.query().json["status"]) == (202, "accepted", "open")


def test_a_cancel_twice_is_no_refusal(sender: Generic):
    sender.create()

    assert [sender.cancel().status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(("action", "reason"), [("pick", "picked"), ("pack", "label_printed"), ("ship", "shipped")])
def test_a_cancel_that_comes_too_late_is_refused(sender: Generic, warehouse: Warehouse, action, reason):
    sender.create()
    warehouse.do(action, NUMBER)

    answer = sender.cancel()

    assert (answer.status_code, answer.json) == (409, {"status": "refused", "reason": reason})


def test_a_cancel_of_an_unknown_order_is_not_found(sender: Generic):
    assert sender.cancel().status_code == 404


def test_a_query_shows_the_fingerprint_and_the_packages(sender: Generic, warehouse: Warehouse):
    external_id = sender.create().json["external_id"]
    warehouse.do("ship", NUMBER, packages=[{"tracking_number": "TEST01"}])

    assert sender.query().json == {
        "order_number": NUMBER,
        "external_id": external_id,
        "status": "shipped",
        "fingerprint": "f1",
        "packages": [
            {
                "tracking_number": "TEST01",
                "carrier": "USPS",
                "method": "Priority",
                "tracking_url": "https://track.example.com/TEST01",
                "shipped_at": "2026-03-01T09:00:00Z",
                "lines": [{"sku": "BOX-2602", "quantity": 1}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [("pick", {}, "open"), ("pack", {}, "open"), ("ship", {"complete": False}, "partial")],
)
def test_a_query_has_one_of_four_states(sender: Generic, warehouse: Warehouse, action, fields, status):
    sender.create()
    warehouse.do(action, NUMBER, **fields)

    assert sender.query().json["status"] == status


def test_a_query_of_an_unknown_order_is_not_found(sender: Generic):
    assert sender.query().status_code == 404
