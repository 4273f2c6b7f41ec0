"""The messages that we send: their type, content and id. docs/warehouse.md has them for those who receive them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.core.fulfilment import Line, Order
from pipeline.events.fields import format_time

MessageType = Literal["order.create", "order.cancel", "order.query"]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """`id` is that of each repetition, too: the receiver takes a message once. A query has no body."""

    type: MessageType
    id: str
    body: bytes


def build_create(order: Order) -> OutgoingMessage:
    """Return `order.create`. An order that was changed is another message, also one of another service or message."""
    data = build_order(order)
    return _build("order.create", (order.order_number, json.dumps(data)), data)


def build_cancel(order_number: str, external_id: str, reason: str) -> OutgoingMessage:
    """Return `order.cancel`."""
    data = {"order_number": order_number, "external_id": external_id, "reason": reason}
    return _build("order.cancel", (order_number, external_id), data)


def build_query(order_number: str) -> OutgoingMessage:
    """Return `order.query`, a GET without a body."""
    return OutgoingMessage("order.query", _make_id("order.query", (order_number,)), b"")


def build_order(order: Order) -> dict[str, Any]:
    """Return the order as JSON has it: money in minor units, times in UTC."""
    return {
        "order_number": order.order_number,
        "shipment_id": order.shipment_id,
        "order_ids": list(order.order_ids),
        "subscription_id": order.subscription_id,
        "customer_id": order.customer_id,
        "kind": order.kind,
        "billing_type": order.billing_type,
        "cycle": order.cycle,
        "ordered_at": format_time(order.ordered_at),
        "target_ship_date": format_time(order.target_at),
        "ship_code": order.ship_code,
        "carrier": order.carrier,
        "is_gift": order.is_gift,
        "gift_message": order.gift_message,
        "ship_to": asdict(order.ship_to),
        "bill_to": {"name": order.bill_to_name, "email": order.bill_to_email},
        "totals": asdict(order.totals),
        "lines": [_build_line(line) for line in order.lines],
        "fingerprint": order.fingerprint,
    }


def _build_line(line: Line) -> dict[str, Any]:
    return {**asdict(line), "fulfillment_ids": list(line.fulfillment_ids)}


def _build(kind: MessageType, key: tuple[str, ...], data: dict[str, Any]) -> OutgoingMessage:
    body = json.dumps({"type": kind, "data": data}, separators=(",", ":")).encode()
    return OutgoingMessage(kind, _make_id(kind, key), body)


def _make_id(kind: MessageType, key: tuple[str, ...]) -> str:
    return f"msg_{hashlib.sha256(json.dumps([kind, *key]).encode()).hexdigest()[:32]}"
