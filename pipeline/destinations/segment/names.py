"""The names and properties that Segment's e-commerce specification has for our events, where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVENT_NAMES: Mapping[str, str] = {
    "customer_new": "Signed Up",
    "order_new": "Order Completed",
    "order_updated": "Order Updated",
    "checkout_failed": "Checkout Failed",
    "subscription_new": "Subscription Started",
    "subscription_renewed": "Subscription Renewed",
    "subscription_renew_failed": "Subscription Renewal Failed",
    "subscription_updated": "Subscription Updated",
    "subscription_cancelled": "Subscription Cancelled",
    "shipment_shipped": "Order Shipped",
    "shipment_cancelled": "Shipment Cancelled",
    "transaction_new": "Transaction Created",
    "address_updated": "Address Updated",
    "billing_updated": "Billing Updated",
}
_ORDER_EVENTS = frozenset({"order_new", "order_updated"})
_MINOR_UNITS = 100  # Cratejoy's amounts are whole cents


def name_event(name: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the specification's name, and the properties it asks for beside ours: order_id, revenue and currency."""
    added: dict[str, Any] = {}
    if name in _ORDER_EVENTS and data.get("id") is not None:
        added["order_id"] = str(data["id"])
        total = data.get("total")
        if isinstance(total, int) and not isinstance(total, bool):
            added["revenue"] = total / _MINOR_UNITS
        if isinstance(data.get("currency"), str):
            added["currency"] = data["currency"]
    return EVENT_NAMES.get(name, name), {**data, **added}
