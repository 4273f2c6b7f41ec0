"""What the warehouse reports: the answer to an order query, and the events that it posts."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.store import dates
from sandbox.warehouse.floor import Happening
from sandbox.warehouse.generic.messages_in import external_id
from sandbox.warehouse.orders import Order, Package

EVENTS: Mapping[str, str] = {
    "shipped": "shipment.shipped",
    "cancelled": "order.cancelled",
    "rejected": "order.rejected",
}
STATUSES: Mapping[str, str] = {"picked": "open", "packed": "open"}


def write_order(order: Order) -> dict[str, Any]:
    """Return the answer to a query."""
    return {
        "order_number": order.number,
        "external_id": external_id(order),
        "status": STATUSES.get(order.stage, order.stage),
        "fingerprint": order.received.get("fingerprint"),
        "packages": [write_package(package) for package in order.packages],
    }


def write_package(package: Package) -> dict[str, Any]:
    """Return a package."""
    return {
        "tracking_number": package.tracking,
        "carrier": package.carrier,
        "method": package.method,
        "tracking_url": package.url,
        "shipped_at": dates.iso(int(package.shipped_at)),
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in package.lines],
    }


def write_event(happening: Happening, now: float) -> tuple[str, bytes] | None:
    """Return the type and body of the event, or None if it is not one. A shipment has all packages so far."""
    kind, order = EVENTS.get(happening.kind), happening.order
    if kind is None:
        return None
    data: dict[str, Any] = {"order_number": order.number, "external_id": external_id(order)}
    if happening.kind == "shipped":
        packages = [write_package(package) for package in order.packages]
        data |= {"complete": happening.is_complete, "packages": packages}
    elif happening.kind == "rejected":
        data["errors"] = [{"field": "", "message": happening.detail}]
    else:
        data["reason"] = happening.detail
    return kind, write_message(kind, data, now)


def write_message(kind: str, data: Mapping[str, Any], now: float) -> bytes:
    """Return the body of an event."""
    return json.dumps({"type": kind, "timestamp": dates.iso(int(now)), "data": data}).encode()
