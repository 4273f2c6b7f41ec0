"""A warehouse that answers with values of other kinds, or with texts that no database takes, is read all the same."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from pipeline.infra.crypto.signed_messages import read_secrets, sign
from pipeline.infra.http.client import HTTPClient, HTTPResponse
from pipeline.warehouses import WAREHOUSES
from tests.pipeline.warehouses.cartrover.test_orders import SHIPMENT
from tests.pipeline.warehouses.extensiv_3pl.recorded import CONFIG, GRANT, listing, row
from tests.pipeline.warehouses.kit import NOW_US, ORDER, answer, make_tools

NUMBER = ORDER.order_number
SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
ODD = ("\ud83d", "a\0b", math.inf, -math.inf, math.nan, 10**400, True, None, [], {}, [[]], "9999-12-31T23:59:59-23:59")
CART_ORDER = {
    "cust_ref": NUMBER,
    "order_status": "shipped",
    "num_to_ship": "0",
    "ship_zip": "00000",
    "ship_last_name": "Recipient",
    "items": [{"item": "BOX-2602", "quantity": "1"}],
    "shipments": [SHIPMENT],
}
PACKAGE = {"packageId": 1, "trackingNumber": "TEST1", "packageContents": [{"orderItemId": 9_100_001, "qty": 1}]}
SHIPPED = row(status=1, isClosed=True, packages=[PACKAGE], shipDate="2026-02-02T16:00:00")
OWN = {
    "order_number": NUMBER,
    "status": "shipped",
    "external_id": "W1",
    "fingerprint": "print-1",
    "packages": [{"tracking_number": "TEST1", "carrier": "USPS", "lines": [{"sku": "BOX", "quantity": 1}]}],
}
KEYS: dict[str, dict[str, str]] = {
    "cartrover": {"api_user": "user", "api_key": "key"},
    "extensiv_3pl": CONFIG,
    "signed_webhook": {"url": "https://warehouse.example/orders", "secret": SECRET, "inbound_secret": SECRET},
}
ANSWERS = {
    "cartrover": [{"success_code": True, "response": CART_ORDER}, {"success_code": True, "response": [CART_ORDER]}],
    "extensiv_3pl": [json.loads(listing(SHIPPED).body), SHIPPED, json.loads(GRANT.body)],
    "signed_webhook": [OWN, {"errors": [{"field": "zip", "message": "wrong"}]}],
}
CASES = [(adapter, number) for adapter, bodies in ANSWERS.items() for number in range(len(bodies))]


class SameAnswer(HTTPClient):
    """Answers everything alike; a token is granted unless that is the answer."""

    def __init__(self, body: Any, status: int) -> None:
        super().__init__(now=lambda: NOW_US)
        self.answer = answer(json.dumps(body), status, etag='"1"')
        self.grants = "access_token" not in body

    def call(self, _method: str, url: str, **_: Any) -> HTTPResponse:  # type: ignore[override]
        return GRANT if self.grants and url.endswith("/Token") else self.answer


def mutate(body: Any) -> Iterator[Any]:
    """The body with one odd value in place of one of its values, for each of them."""
    for path in list_paths(body):
        for odd in ODD:
            changed = copy.deepcopy(body)
            holder = changed
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = odd
            yield changed


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*path, step)
        yield from list_paths(item, (*path, step))


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL and SQLite take every text in it."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(map(is_storable, value.values()))
    return not isinstance(value, (list, tuple)) or all(map(is_storable, value))


def ask_everything(adapter: str, body: Any, status: int) -> Iterator[Any]:
    kind = WAREHOUSES[adapter]
    for ask in (
        lambda one: one.check(),
        lambda one: one.create(ORDER),
        lambda one: one.find(NUMBER),
        lambda one: one.list_shipped([(NUMBER, "4100001")]),
        lambda one: one.cancel(NUMBER, "4100001", "why"),
        lambda one: one.acknowledge(NUMBER, ["TEST1"]),
    ):
        yield ask(kind(KEYS[adapter], make_tools(SameAnswer(body, status))))


@pytest.mark.parametrize(("adapter", "number"), CASES)
@pytest.mark.parametrize("status", [200, 400])
def test_an_odd_value_anywhere_in_an_answer_is_an_answer(adapter, number, status):
    for body in mutate(ANSWERS[adapter][number]):
        for read in ask_everything(adapter, body, status):
            content = read if read is None or isinstance(read, dict) else asdict(read)
            assert is_storable(content), body


def test_an_odd_value_anywhere_in_a_message_is_read():
    webhook = WAREHOUSES["signed_webhook"](KEYS["signed_webhook"], make_tools(SameAnswer({}, 200)))
    for kind in ("shipment.shipped", "order.rejected"):
        for body in mutate({"type": kind, "data": {**OWN, "complete": True, "errors": [{"field": "zip"}]}}):
            content = json.dumps(body).encode()
            headers = sign(read_secrets(SECRET, "secret"), "msg_1", NOW_US // 1_000_000, content)
            assert is_storable(asdict(webhook.read_push(headers, content))), body
