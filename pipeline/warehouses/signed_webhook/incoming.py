"""What a warehouse says of an order: in the answer to a query, and in the messages that it sends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.fulfilment import Invalid, Package, Progress, Pushed, PushRefused, WarehouseOrder
from pipeline.redaction.scrub import scrub
from pipeline.warehouses.dates import parse_time
from pipeline.warehouses.json_texts import as_object, as_rows, as_text, load_json

_PROGRESS: Mapping[str, Progress] = {
    "open": "open",
    "partial": "partial",
    "shipped": "shipped",
    "cancelled": "cancelled",
}


def parse_order(data: Mapping[str, Any], progress: Progress | None = None) -> WarehouseOrder | None:
    """Return the order, or None without a number or a known status. `progress` stands for the status."""
    number = as_text(data.get("order_number"))
    known = progress or _PROGRESS.get(as_text(data.get("status")))
    if not number or known is None:
        return None
    packages = (_parse_package(row) for row in as_rows(data.get("packages")))
    return WarehouseOrder(
        number,
        as_text(data.get("external_id")),
        known,
        tuple(package for package in packages if package is not None),
        fingerprint=as_text(data.get("fingerprint")),
    )


def parse_push(message_id: str, body: bytes) -> Pushed | PushRefused:
    """Return what a verified message says. A type that is not known is of no interest: it may come with a later one."""
    try:
        message = load_json(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return PushRefused("malformed", "the body is no JSON object with a type")
    kind, data = message["type"], as_object(message.get("data"))
    if kind not in _TYPES:
        return Pushed(message_id)
    order = parse_order(data, _get_progress(kind, data))
    if order is None:
        return PushRefused("malformed", "the data has no order_number")
    return Pushed(message_id, order, parse_errors(data) if kind == "order.rejected" else None)


def parse_errors(body: Mapping[str, Any]) -> Invalid:
    """Return the fields that a warehouse refuses, with its short reasons."""
    rows = ((as_text(row.get("field")), as_text(row.get("message"))) for row in as_rows(body.get("errors")))
    fields = tuple((scrub(name) or "order", scrub(why) or "refused") for name, why in rows)
    return Invalid(fields or (("order", scrub(as_text(body.get("reason"))) or "refused"),))


_TYPES: Mapping[str, Progress] = {
    "shipment.shipped": "shipped",
    "order.cancelled": "cancelled",
    "order.rejected": "open",
}


def _get_progress(kind: str, data: Mapping[str, Any]) -> Progress:
    """A box is shipped as a whole only when the message says so: `complete` is true."""
    return "partial" if kind == "shipment.shipped" and data.get("complete") is not True else _TYPES[kind]


def _parse_package(row: Mapping[str, Any]) -> Package | None:
    number = "".join(as_text(row.get("tracking_number")).split()).upper()
    if not number:
        return None
    lines = ((as_text(line.get("sku")), line.get("quantity")) for line in as_rows(row.get("lines")))
    return Package(
        number,
        as_text(row.get("carrier")),
        as_text(row.get("method")),
        as_text(row.get("tracking_url")),
        parse_time(row.get("shipped_at")),
        tuple((sku, quantity) for sku, quantity in lines if isinstance(quantity, int)),
    )
