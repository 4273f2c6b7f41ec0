"""Objects as the Merchant API lists them, described like events: they teach us about people, and tell of nothing."""

from __future__ import annotations

from pipeline.events.table import EventRow

LISTED = {
    "customers": EventRow(
        "customer_listed", "customer", "customer", "A customer as the API lists it.", buyer=("",), forwarded=False
    ),
    "orders": EventRow(
        "order_listed", "order", "order", "An order as the API lists it.", gift_copy=True, forwarded=False
    ),
    "subscriptions": EventRow(
        *("subscription_listed", "subscription", "subscription", "A subscription as the API lists it."),
        gift_copy=True,
        forwarded=False,
    ),
}
