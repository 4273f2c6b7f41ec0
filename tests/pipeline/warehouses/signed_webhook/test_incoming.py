from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.fulfilment import Invalid, Package, Pushed, PushRefused, Unsupported, WarehouseOrder
from pipeline.infra.crypto.signed_messages import read_secrets, sign
from pipeline.warehouses.signed_webhook import SignedWebhook
from tests.pipeline.warehouses.kit import NOW_US, RecordedHTTP, make_tools

SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
INBOUND = "whsec_aW5ib3VuZC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg=="
NOW_S = NOW_US // 1_000_000
PACKAGE = {
    "tracking_number": " test 1 ",
    "carrier": "USPS",
    "method": "Priority",
    "tracking_url": "https://track.example.com/TEST1",
    "shipped_at": "2026-02-02T16:00:00Z",
    "lines": [{"sku": "BOX-2602", "quantity": 1}, {"sku": "MUG", "quantity": "two"}],
}


def receive(body: bytes, *, secret: str = INBOUND, at_s: int = NOW_S, inbound: str = INBOUND) -> Any:
    config = {"url": "https://warehouse.example/", "secret": SECRET, "inbound_secret": inbound}
    headers = sign(read_secrets(secret, "secret"), "msg_9", at_s, body)
    return SignedWebhook(config, make_tools(RecordedHTTP())).read_push(headers, body)


def event(kind: str, **data: Any) -> bytes:
    data = {"order_number": "SUB-1", "external_id": "W-1"} | data
    return json.dumps({"type": kind, "timestamp": "2026-02-02T16:00:00Z", "data": data}).encode()


@pytest.mark.parametrize(
    ("complete", "progress"), [(True, "shipped"), (False, "partial"), (None, "partial"), ("true", "partial")]
)
def test_a_shipment_is_complete_only_when_it_says_so(complete, progress):
    pushed = receive(event("shipment.shipped", complete=complete, packages=[PACKAGE, {"carrier": "USPS"}, None]))

    package = Package("TEST1", "USPS", "Priority", "https://track.example.com/TEST1", NOW_US, (("BOX-2602", 1),))
    assert pushed == Pushed("msg_9", WarehouseOrder("SUB-1", "W-1", progress, (package,)))


def test_a_cancel_at_the_warehouse_is_one():
    assert receive(event("order.cancelled")) == Pushed("msg_9", WarehouseOrder("SUB-1", "W-1", "cancelled"))


def test_a_rejected_order_has_its_reasons():
    pushed = receive(event("order.rejected", errors=[{"field": "lines.0.sku", "message": "unknown"}]))

    assert pushed.refusal == Invalid((("lines.0.sku", "unknown"),))
    assert pushed.order.progress == "open"


def test_a_type_that_is_not_known_is_taken_and_of_no_interest():
    assert receive(event("stock.counted")) == Pushed("msg_9")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"data":{}}',
        b'{"type":7}',
        b'{"type":"order.cancelled"}',
        b'{"type":"order.cancelled","data":[]}',
        b"[" * 100_000,
    ],
)
def test_a_signed_message_that_cannot_be_read_is_malformed(body):
    assert receive(body).kind == "malformed"


def test_a_message_of_another_key_is_refused():
    assert receive(event("order.cancelled"), secret=SECRET) == PushRefused("signature", "no signature fits")


def test_an_old_message_is_refused():
    refused = receive(event("order.cancelled"), at_s=NOW_S - 301)

    assert refused == PushRefused("signature", "the timestamp is more than five minutes off")


@pytest.mark.parametrize("inbound", [f"{INBOUND} {SECRET}", f"{SECRET} {INBOUND}"])
def test_both_secrets_are_taken_while_one_is_replaced(inbound):
    assert isinstance(receive(event("order.cancelled"), inbound=inbound), Pushed)


def test_without_a_secret_of_the_warehouse_nothing_is_taken():
    assert receive(event("order.cancelled"), inbound="") == Unsupported()
