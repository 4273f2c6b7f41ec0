"""Klaviyo's usual names of the events that a shop reports, and the amount of those that have one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVENT_NAMES: Mapping[str, str] = {
    "customer_new": "Customer Created",
    "order_new": "Placed Order",
    "order_updated": "Updated Order",
    "checkout_failed": "Checkout Failed",
    "subscription_new": "Started Subscription",
    "subscription_renewed": "Subscription Renewed",
    "subscription_renew_failed": "Subscription Renewal Failed",
    "subscription_updated": "Subscription Updated",
    "subscription_cancelled": "Cancelled Subscription",
    "shipment_shipped": "Fulfilled Order",
    "shipment_cancelled": "Cancelled Shipment",
    "transaction_new": "Transaction Created",
    "address_updated": "Address Updated",
    "billing_updated": "Billing Updated",
}
_MINOR_UNITS = 100  # Cratejoy's amounts are whole cents
_PAID_EVENTS = frozenset({"order_new"})  # an amount in a second event about an order would count its revenue twice


def find_value(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `value` and `value_currency` of an event that brings revenue; nothing for any other."""
    total = data.get("total")
    if name not in _PAID_EVENTS or not isinstance(total, int) or isinstance(total, bool):
        return {}
    currency = data.get("currency")
    return {"value": total / _MINOR_UNITS, **({"value_currency": currency} if isinstance(currency, str) else {})}
