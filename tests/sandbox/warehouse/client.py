"""Clients of the sandbox warehouse that need no socket."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from sandbox.signed_messages import headers_for
from sandbox.warehouse.app import create_app
from sandbox.warehouse.world import Keys, World

START = 1_772_355_600.0  # 2026-03-01T09:00:00Z
KEYS = Keys()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


class Warehouse:
    """A warehouse without a socket, and its control paths."""

    def __init__(self) -> None:
        """Building the application takes longer than most tests, so `begin_anew` exists."""
        self.clock = Clock()
        self.slept: list[float] = []
        self.posts: list[tuple[str, Mapping[str, str], bytes]] = []
        self.shop_answers: int | None = 202
        self.world = World(KEYS, self.clock, self.post)
        self.http = WsgiClient(create_app(self.world, self.slept.append))

    def begin_anew(self) -> None:
        self.clock.seconds, self.shop_answers = START, 202
        self.slept.clear()
        self.posts.clear()
        self.world.reset()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        self.posts.append((url, headers, body))
        return self.shop_answers

    def control(self, method: str, path: str, content: object = None, status: int = 200) -> Any:
        response = self.http.open(f"/_control/{path}", method=method, json=content)
        assert response.status_code in {status, 201}, response.text
        return response.json

    def switch(self, **switches: Any) -> None:
        self.control("POST", "switches", switches)

    def fault(self, match: str, **fault: Any) -> None:
        self.control("POST", "faults", {"match": match, **fault})

    def do(self, action: str, number: str, **fields: Any) -> Any:
        return self.control("POST", action, {"order_number": number, **fields})

    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.control("GET", "state?orders=none")
        return counts

    def order(self, number: str) -> dict[str, Any]:
        (order,) = self.control("GET", f"state?order_number={number}")["orders"]
        assert isinstance(order, dict)
        return order

    def requests(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return requests


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class CartRover:
    """A shop that speaks CartRover."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.http = warehouse.http
        self.authorization = basic(KEYS.api_user, KEYS.api_key)

    def call(self, method: str, path: str, content: object = None, **query: str) -> TestResponse:
        data = content if isinstance(content, bytes) else None if content is None else json.dumps(content)
        return self.http.open(
            f"/cartrover/v1{path}",
            method=method,
            data=data,
            query_string=query,
            headers={"Authorization": self.authorization},
        )

    def create(self, number: str = "SUB-90000001", **fields: Any) -> Any:
        return self.call("POST", "/cart/orders/cartrover", cartrover_order(number, **fields)).json

    def read(self, number: str) -> Any:
        return self.call("GET", f"/cart/orders/{quote(number, safe='')}").json["response"]

    def status(self, number: str) -> str:
        answer: Any = self.call("GET", f"/cart/orders/status/{number}").json
        return str(answer["response"]["order_status"])

    def numbers(self, status: str, **query: str) -> list[str]:
        answer: Any = self.call("GET", f"/cart/orders/list/{status}", **query).json
        return [row["cust_ref"] for row in answer["response"]]

    def acknowledge(self, number: str, *tracking: str) -> Any:
        shipments = [{"tracking_no": tracking_no} for tracking_no in tracking]
        return self.call(
            "POST", f"/cart/orders/update/{number}", {"order_status": "confirmed", "shipments": shipments}
        ).json

    def cancel(self, number: str) -> Any:
        return self.call("GET", f"/cart/orders/wms_cancel/{number}").json


class ThreePl:
    """A shop that speaks 3PL Warehouse Manager."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.http = warehouse.http
        self.accept = "application/hal+json"
        self.token = self.get_token().json["access_token"]

    def get_token(self, authorization: str = "", **body: Any) -> TestResponse:
        return self.http.post(
            "/3pl/AuthServer/api/Token",
            json={"grant_type": "client_credentials", "user_login": KEYS.user_login, **body},
            headers={"Authorization": authorization or basic(KEYS.client_id, KEYS.client_secret)},
        )

    def call(
        self, method: str, path: str, content: object = None, etag: str | None = None, **query: str
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": self.accept}
        headers |= {"If-Match": etag} if etag else {}
        data = None if content is None else json.dumps(content)
        return self.http.open(f"/3pl{path}", method=method, data=data, headers=headers, query_string=query or None)

    def create(self, number: str = "SUB-90000001", **fields: Any) -> TestResponse:
        return self.call("POST", "/orders", threepl_order(number, **fields))

    def id_of(self, number: str) -> int:
        (row,) = self.find(f"referenceNum=={number}")
        return int(row["readOnly"]["orderId"])

    def find(self, rql: str, **query: str) -> list[dict[str, Any]]:
        answer: Any = self.call("GET", "/orders", rql=rql, **query).json
        return list(answer.get("_embedded", {"": []}).popitem()[1])

    def read(self, number: str, **query: str) -> Any:
        return self.call("GET", f"/orders/{self.id_of(number)}", **query).json

    def etag(self, number: str) -> str:
        return self.call("GET", f"/orders/{self.id_of(number)}").headers["ETag"]

    def cancel(self, number: str, etag: str | None = None, **body: Any) -> TestResponse:
        path = f"/orders/{self.id_of(number)}/canceler"
        return self.call("POST", path, {"reason": "Cancelled in Cratejoy", **body}, etag or self.etag(number))


class Generic:
    """A shop that posts signed messages."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.http, self.clock = warehouse.http, warehouse.clock
        self.secret = KEYS.webhook_secret
        self.ids = iter(f"msg_{number:04d}" for number in range(1000))

    def send(self, body: bytes, message_id: str | None = None, **headers: str) -> TestResponse:
        signed = headers_for(self.secret, message_id or next(self.ids), int(self.clock.seconds), body)
        return self.http.post("/generic", data=body, headers=signed | headers)

    def create(self, number: str = "SUB-90000001", message_id: str | None = None, **fields: Any) -> TestResponse:
        message = {"type": "order.create", "data": generic_order(number, **fields)}
        return self.send(json.dumps(message).encode(), message_id)

    def cancel(self, number: str = "SUB-90000001") -> TestResponse:
        return self.send(json.dumps({"type": "order.cancel", "data": {"order_number": number}}).encode())

    def query(self, number: str = "SUB-90000001") -> TestResponse:
        signed = headers_for(self.secret, next(self.ids), int(self.clock.seconds), b"")
        return self.http.get(f"/generic/orders/{number}", headers=signed)


def generic_order(number: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "order_number": number,
        "ship_to": {"name": "R", "address1": "1 Test Street", "city": "Testville", "zip": "00000", "country": "US"},
        "lines": [{"line_no": 1, "sku": "BOX-2602", "quantity": 1}],
        "fingerprint": "f1",
        **fields,
    }


def threepl_order(number: str = "SUB-90000001", **fields: Any) -> Mapping[str, Any]:
    return {
        "customerIdentifier": {"id": 7},
        "facilityIdentifier": {"id": 1},
        "referenceNum": number,
        "poNum": "80000001",
        "externalId": "90000001",
        "routingInfo": {"carrier": "USPS", "mode": "Priority", "billingCode": "Prepaid"},
        "shipTo": {
            "name": "Example Recipient",
            "address1": "1 Test Street",
            "city": "Testville",
            "zip": "00000",
            "country": "US",
        },
        "savedElements": [{"name": "CratejoyShipmentId", "value": "90000001"}],
        "orderItems": [{"itemIdentifier": {"sku": "BOX-2602"}, "qty": 1, "externalId": "50000001"}],
        **fields,
    }


def cartrover_order(number: str = "SUB-90000001", **fields: Any) -> Mapping[str, Any]:
    return {
        "cust_ref": number,
        "cust_po_no": number,
        "order_date": "2026-01-02",
        "ship_first_name": "Example",
        "ship_last_name": "Recipient",
        "ship_address_1": "1 Test Street",
        "ship_address_2": "Unit 2",
        "ship_city": "Testville",
        "ship_state": "TX",
        "ship_zip": "00000",
        "ship_country": "USA",
        "ship_is_billing": False,
        "cust_last_name": "Buyer",
        "ship_code": "SUBSCRIPTION",
        "sub_total": 0,
        "items": [{"line_no": 1, "item": "BOX-2602", "quantity": 1, "price": 0, "line_item_id": "50000001"}],
        **fields,
    }
