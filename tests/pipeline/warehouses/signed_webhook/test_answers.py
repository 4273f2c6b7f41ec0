"""Every row of the table of the signed web hook, on the answers of the port."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    Cancelled,
    CancelPending,
    Created,
    Invalid,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
    ShippedPage,
    WarehouseCall,
    WarehouseOrder,
)
from pipeline.fulfilment.same_box import compare_box
from pipeline.warehouses.base import Capabilities
from pipeline.warehouses.signed_webhook import SignedWebhook
from tests.pipeline.warehouses.kit import (
    BROKEN_OFF,
    NOT_PUBLIC,
    NOT_SENT,
    NOW_US,
    ORDER,
    PAGE,
    TIMEOUT,
    RecordedHTTP,
    answer,
    make_tools,
)

CONFIG = {"url": "https://warehouse.example/orders/", "secret": "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="}
COMMON = [
    (answer("", 401), AuthError("the signature was refused (401)")),
    (answer("", 403), AuthError("the signature was refused (403)")),
    (answer({}, 410), AuthError("the warehouse has switched its address off (410)")),
    (answer("", 308, location="https://elsewhere.example/"), AuthError("redirected (308)")),
    (answer("", 429, retry_after="7"), RateLimited(7.0)),
    (answer("", 429), RateLimited(5.0, doubles=True)),
    (answer("", 503, retry_after="9"), Retryable("answered 503", 9.0, may_be_done=True)),
    (answer("", 500), Retryable("answered 500", may_be_done=True)),
    (answer("", 408), Retryable("answered 408", may_be_done=True)),
    (PAGE, Retryable("answered 200", may_be_done=True)),
    (answer("<html>", 400), Retryable("answered 400", may_be_done=True)),
    (TIMEOUT, Retryable("timeout while reading", may_be_done=True)),
    (BROKEN_OFF, Retryable("connection broke off", may_be_done=True)),
    (NOT_SENT, Retryable("connection refused")),
    (NOT_PUBLIC, AuthError("not a public address")),
]


def webhook(*answers, **config) -> SignedWebhook:
    return SignedWebhook(CONFIG | config, make_tools(RecordedHTTP(*answers)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer({"status": "accepted", "external_id": "W-1"}, 200), Created("W-1")),
        (answer({"status": "accepted", "external_id": 17}, 201), Created("17")),
        (answer({"status": "accepted"}, 202), Created("")),
        (answer("", 202), Created("")),
        (answer("", 409), AlreadyExists()),
        (
            answer({"status": "rejected", "errors": [{"field": "lines.0.sku", "message": "unknown"}]}, 422),
            Invalid((("lines.0.sku", "unknown"),)),
        ),
        (answer({"errors": [{"message": "Recipient of Testville"}]}, 400), Invalid((("order", "… of …"),))),
        (answer({"status": "rejected", "reason": "closed"}, 400), Invalid((("order", "closed"),))),
        (answer("no", 422), Invalid((("order", "answered 422"),))),
        (answer("", 413), Invalid((("order", "answered 413"),))),
        (answer("", 404), AuthError("answered 404: nothing takes orders at this address")),
        (answer("", 405), AuthError("answered 405: nothing takes orders at this address")),
    ],
)
def test_each_answer_to_a_new_order(given, expected):
    assert webhook(given).create(ORDER) == expected


@pytest.mark.parametrize(("fingerprint", "comparison"), [("print-1", "same"), ("print-2", "different")])
def test_a_duplicate_is_judged_by_its_fingerprint(fingerprint, comparison):
    taken = answer({"status": "duplicate", "external_id": "W-1", "fingerprint": fingerprint}, 409)

    answered = webhook(taken).create(ORDER)

    assert answered.found == WarehouseOrder("SUB-90000001", "W-1", "open", fingerprint=fingerprint)
    assert compare_box(ORDER, answered.found) == comparison


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer({"status": "cancelled"}), Cancelled()),
        (answer({"status": "accepted"}, 202), CancelPending()),
        (answer("", 202), CancelPending()),
        (answer({"status": "unknown"}, 404), NotFound()),
        (answer({"status": "refused", "reason": "label_printed"}, 409), Refused("label_printed")),
        (answer("", 409), Refused("answered 409")),
        (answer("", 400), Refused("answered 400")),
    ],
)
def test_each_answer_to_a_cancel(given, expected):
    assert webhook(given).cancel("SUB-90000001", "W-1", "Cancelled in Cratejoy") == expected


SHOWN = {"order_number": "SUB-90000001", "external_id": "W-1", "status": "open", "fingerprint": "print-1"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *COMMON,
        (answer(SHOWN), WarehouseOrder("SUB-90000001", "W-1", "open", fingerprint="print-1")),
        (
            answer({**SHOWN, "status": "cancelled"}),
            WarehouseOrder("SUB-90000001", "W-1", "cancelled", fingerprint="print-1"),
        ),
        (answer("", 404), NotFound()),
        (answer({**SHOWN, "order_number": "SUB-9"}), Retryable("answered with another order")),
        (answer({**SHOWN, "status": "astray"}), Retryable("answered without the order")),
        (answer("[]"), Retryable("answered without the order")),
        (answer("", 400), Retryable("answered 400")),
    ],
)
def test_each_answer_to_a_query(given, expected):
    assert webhook(given).find("SUB-90000001") == expected


@pytest.mark.parametrize(
    ("config", "given", "expected"),
    [
        ({}, answer("", 404), {"answers_questions": True}),
        ({}, answer("", 405), Retryable("answered 405")),
        ({"order_query": "no"}, answer("", 405), {"answers_questions": False}),
        ({}, answer("", 401), AuthError("the signature was refused (401)")),
    ],
)
def test_each_answer_to_a_check(config, given, expected):
    assert webhook(given, **config).check() == expected


def test_an_order_is_posted_as_json_to_exactly_the_address():
    http = RecordedHTTP(answer("", 202))

    SignedWebhook(CONFIG, make_tools(http)).create(ORDER)

    [request] = http.requests
    assert (request.method, request.url) == ("POST", "https://warehouse.example/orders/")
    assert request.content["type"] == "order.create"
    assert request.content["data"] == {
        "order_number": "SUB-90000001",
        "shipment_id": 90_000_001,
        "order_ids": [80_000_001],
        "subscription_id": 70_000_001,
        "customer_id": 60_000_001,
        "kind": "subscription",
        "billing_type": "standard",
        "cycle": 3,
        "ordered_at": "2026-01-02T10:00:00Z",
        "target_ship_date": "2026-02-01T00:00:00Z",
        "ship_code": "SUBSCRIPTION",
        "carrier": "",
        "is_gift": True,
        "gift_message": "Enjoy the tea!",
        "ship_to": {
            "name": "Example Recipient",
            "company": "",
            "address1": "1 Test Street",
            "address2": "Unit 2",
            "city": "Testville",
            "state": "TX",
            "zip": "00000",
            "country": "USA",
            "phone": "",
            "email": "",
        },
        "bill_to": {"name": "Example Buyer", "email": "buyer@example.com"},
        "totals": {"currency": "USD", "subtotal": 0, "shipping": 0, "tax": 0, "discount": 0, "total": 0},
        "lines": [
            {
                "line_no": 1,
                "sku": "BOX-2602",
                "source_sku": "BOX",
                "description": "Tea Box (Size: Medium)",
                "quantity": 1,
                "unit_price": 0,
                "fulfillment_ids": [50_000_001],
            }
        ],
        "fingerprint": "print-1",
    }


def test_a_repeated_message_has_the_same_id_and_a_new_timestamp():
    http = RecordedHTTP(TIMEOUT, answer("", 202), answer("", 202))
    first, later = (replace(make_tools(http), now=lambda at=at: at) for at in (NOW_US, NOW_US + 60_000_000))

    SignedWebhook(CONFIG, first).create(ORDER)
    SignedWebhook(CONFIG, later).create(ORDER)
    SignedWebhook(CONFIG, later).create(replace(ORDER, fingerprint="print-2"))

    ids = [request.headers["webhook-id"] for request in http.requests]
    times = [request.headers["webhook-timestamp"] for request in http.requests]
    assert ids[0] == ids[1] != ids[2]
    assert times[:2] == ["1770048000", "1770048060"]
    assert http.requests[0].body == http.requests[1].body


def test_a_query_is_signed_with_an_empty_body():
    http = RecordedHTTP(answer("", 404))

    SignedWebhook(CONFIG, make_tools(http)).find("SUB/1")

    [request] = http.requests
    assert (request.method, request.body or b"") == ("GET", b"")
    assert request.url == "https://warehouse.example/orders/orders/SUB%2F1"
    assert request.headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        (
            {"order_query": "no", "inbound_secret": CONFIG["secret"]},
            {"finds": False, "lists_shipped": False, "pushes": True},
        ),
    ],
)
def test_what_it_can_do_depends_on_the_receiver(config, expected):
    can = Capabilities(repeats_safely=True, refuses_duplicates=True, creates_at_once=4)

    assert webhook(**config).capabilities == replace(can, **expected)


def test_a_receiver_without_questions_is_asked_nothing():
    assert webhook(order_query="no").list_shipped([("SUB-1", "")]) == ShippedPage(())


def test_calls_are_recorded_by_the_kind_of_their_message():
    calls: list[WarehouseCall] = []
    http = RecordedHTTP(answer("", 202), answer("", 404))
    warehouse = SignedWebhook(CONFIG, make_tools(http, calls))

    warehouse.create(ORDER)
    warehouse.find("SUB-1")

    assert [(call.method, call.path) for call in calls] == [("POST", "order.create"), ("GET", "order.query")]


def test_a_gift_message_with_any_character_is_sent():
    http = RecordedHTTP(answer("", 202))

    SignedWebhook(CONFIG, make_tools(http)).create(replace(ORDER, gift_message="Zoë 🎁 \ud800"))

    assert json.loads(http.requests[0].body)["data"]["gift_message"] == "Zoë 🎁 \ud800"


def test_an_order_with_another_service_is_another_message():
    """The receiver does each message once: a corrected order under the old id would never be packed."""
    warehouse = SignedWebhook(CONFIG, make_tools(http := RecordedHTTP(*[answer({}, 202)] * 3)))

    for order in (ORDER, ORDER, replace(ORDER, ship_code="EXPRESS")):
        warehouse.create(order)

    first, same, other = (request.headers["webhook-id"] for request in http.requests)
    assert first == same != other
