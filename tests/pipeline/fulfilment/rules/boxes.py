"""Shipments as Cratejoy sends them, and the words to ask the rules with; all people are invented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.core.fulfilment import Order
from pipeline.fulfilment.rules.order import Hold, Numbering, build_order
from pipeline.fulfilment.rules.reading import read_shipment
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.settings import FulfilmentSettings

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
NUMBERING = Numbering("SUB-90000001", "subscription")


def at(text: str) -> int:
    """µs of an ISO text without a zone, in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_US


NOW = at("2026-02-01T12:00:00")
SETTINGS = FulfilmentSettings(earliest_order_at=at("2026-01-01T00:00:00"))


def address(**changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "to": "Example Recipient",
        "street": "1 Test Street",
        "unit": "Unit 2",
        "city": "Testville",
        "state": "TX",
        "zip_code": "75001",
        "country": "US",
        "company": "",
        "phone_number": "",
    } | changes


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": 80000001,
        "financial_status": "paid",
        "placed_at": "2025-12-10T10:00:00Z",
        "is_gift": False,
        "is_renewal": False,
        "customer": {"id": 60000001, "name": "Example Buyer", "email": "buyer@example.com"},
        "subscriptions": [{"id": 70000001, "status": "active", "start_date": "2025-11-10T00:00:00Z"}],
    } | changes


def item(**changes: Any) -> dict[str, Any]:
    return {
        "id": 50000001,
        "status": "open",
        "subscription_id": 70000001,
        "order": order(),
        "instance": {
            "id": 40000001,
            "sku": "BOX",
            "price": 0,
            "product": {"id": 30000001, "sku": "TEA", "name": "Tea Box"},
            "variants": [{"id": 11, "type": "Size", "value": "Medium"}],
        },
    } | changes


def body(**changes: Any) -> dict[str, Any]:
    """A `standard` box of a batch that ended yesterday, read by id."""
    return {
        "id": 90000001,
        "status": "unshipped",
        "is_test": False,
        "billing_type": "standard",
        "sub_cycle": 3,
        "adjusted_ordered_at": "2026-01-10T00:00:00Z",
        "ship_address": address(),
        "batch": {"id": 5, "start": "2026-01-01T00:00:00Z", "end": "2026-01-31T23:59:59Z"},
        "fulfillments": [item()],
    } | changes


def one_off(**changes: Any) -> dict[str, Any]:
    """A one-off order."""
    bought = item(
        subscription_id=None,
        order=order(subscriptions=[]),
        instance={"id": 40000009, "sku": "MUG", "price": 1500, "product": {"name": "Mug"}},
    )
    return body(billing_type="ecom", sub_cycle=None, batch=None, fulfillments=[bought]) | changes


def read(sent: dict[str, Any], *, is_whole: bool = True) -> Shipment:
    shipment = read_shipment(sent, is_whole=is_whole)
    assert isinstance(shipment, Shipment), shipment
    return shipment


def build(sent: dict[str, Any], settings: FulfilmentSettings = SETTINGS, numbering: Numbering = NUMBERING) -> Order:
    built = build_order(read(sent), settings, numbering)
    assert isinstance(built, Order), built
    return built


def hold(sent: dict[str, Any], settings: FulfilmentSettings = SETTINGS) -> Hold:
    built = build_order(read(sent), settings, NUMBERING)
    assert isinstance(built, Hold), built
    return built
