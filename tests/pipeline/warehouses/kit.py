"""What the tests of warehouses share: an order, tools, and an HTTP client with recorded answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.fulfilment import Address, Line, Order, Totals, WarehouseCall
from pipeline.infra.http.client import MAX_BODY_BYTES, HTTPClient, HTTPResponse, Method
from pipeline.warehouses.base import Tools

NOW_US = 1_770_048_000_000_000  # 2026-02-02T16:00:00Z

ORDER = Order(
    order_number="SUB-90000001",
    shipment_id=90_000_001,
    kind="subscription",
    billing_type="standard",
    ordered_at=1_767_348_000_000_000,  # 2026-01-02T10:00:00Z
    target_at=1_769_904_000_000_000,  # 2026-02-01T00:00:00Z
    ship_code="SUBSCRIPTION",
    ship_to=Address(
        "Example Recipient", "1 Test Street", "Testville", "USA", address2="Unit 2", state="TX", zip="00000"
    ),
    lines=(Line(1, "BOX-2602", "BOX", "Tea Box (Size: Medium)", 1, (50_000_001,)),),
    fingerprint="print-1",
    order_ids=(80_000_001,),
    subscription_id=70_000_001,
    customer_id=60_000_001,
    cycle=3,
    bill_to_name="Example Buyer",
    bill_to_email="buyer@example.com",
    is_gift=True,
    gift_message="Enjoy the tea!",
    totals=Totals(),
)


def order_numbered(number: str, **changed: Any) -> Order:
    return replace(ORDER, order_number=number, shipment_id=int(number.removeprefix("SUB-").split("-")[0]), **changed)


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def content(self) -> Any:
        return json.loads(self.body or b"null")


class RecordedHTTP(HTTPClient):
    """Gives recorded answers, in order, and keeps the requests."""

    def __init__(self, *answers: HTTPResponse) -> None:
        super().__init__(now=lambda: NOW_US)
        self.answers = list(answers)
        self.requests: list[Request] = []

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BODY_BYTES,  # noqa: ARG002 - no recorded answer is too long
    ) -> HTTPResponse:
        self.requests.append(Request(method, url, headers or {}, body))
        return self.answers.pop(0)


class ProcessValues:
    """Shared values of a single process."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}
        self.ttl_s: dict[str, float] = {}
        self.locked: set[str] = set()

    def get(self, name: str) -> dict[str, str] | None:
        return self.kept.get(name)

    def put(self, name: str, value: Mapping[str, str], ttl_s: float) -> None:
        self.kept[name] = dict(value)
        self.ttl_s[name] = ttl_s

    @contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        yield name not in self.locked


def make_tools(http: HTTPClient, calls: list[WarehouseCall] | None = None, waits: Sequence[float] = ()) -> Tools:
    turns = list(waits)
    record = (lambda _: None) if calls is None else calls.append
    return Tools(http, ProcessValues(), lambda: NOW_US, lambda: turns.pop(0) if turns else 0.0, record)


def answer(body: Any = None, status: int = 200, **headers: str) -> HTTPResponse:
    """Text is sent as it is, everything else as JSON; `retry_after` is a header."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(status, named, text, started_at=NOW_US, duration_us=1000)


TIMEOUT = HTTPResponse(None, fault="maybe_processed", error="timeout while reading", started_at=NOW_US)
BROKEN_OFF = HTTPResponse(None, fault="maybe_processed", error="connection broke off", started_at=NOW_US)
NOT_SENT = HTTPResponse(None, fault="not_sent", error="connection refused", started_at=NOW_US)
NOT_PUBLIC = HTTPResponse(None, fault="not_sent", error="not a public address", started_at=NOW_US)
PAGE = answer("<html><h1>Bad gateway</h1></html>")
