"""What a pass asks a store's API for: one row per collection, in the order in which a person's story is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.events.fields import format_time
from pipeline.reconciliation import evidence
from pipeline.reconciliation.evidence import EvidenceFinder

DAY_US = 86_400_000_000  # µs
# A cancelled thing does not say since when. It is looked for until this long after its paid period, or the day its
# box was due: whatever is cancelled is cancelled about then, or before.
CANCELLED_LOOKBACK_US = 60 * DAY_US


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """From where a collection is read: a moment (µs), and the largest id that was compared already."""

    since: int
    high: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One list of the API. `with_` names the relations a hook's body has. `by_id`: its objects have no date at all."""

    name: str
    resource: str
    with_: tuple[str, ...]
    filters: Callable[[ReadFrom], Mapping[str, str]]
    show: EvidenceFinder
    by_id: bool = False


_SUBSCRIPTION = ("customer", "billing", "term", "product", "instance", "subscription_gift_info", "address")
_SHIPMENT = ("customer", "fulfillments", "labels", "ship_address")

_COLLECTIONS = (
    Collection(
        "customers",
        "customers",
        ("addresses",),
        lambda of: {"id__gt": str(of.high)},
        evidence.customer_events,
        by_id=True,
    ),
    Collection(
        "orders",
        "orders",
        ("customer", "products"),
        lambda of: {"placed_at__ge": format_time(of.since)},
        evidence.order_events,
    ),
    Collection(
        "transactions",
        "transactions",
        ("order",),
        lambda of: {"created_at__ge": format_time(of.since)},
        evidence.transaction_events,
    ),
    Collection(
        # A subscription begins with an order and is renewed with one; it has no other date to ask by.
        "subscriptions",
        "subscriptions",
        (*_SUBSCRIPTION, "orders"),
        lambda of: {"orders.placed_at__ge": format_time(of.since)},
        evidence.subscription_events,
    ),
    Collection(
        "shipments",
        "shipments",
        _SHIPMENT,
        lambda of: {"shipped_at__ge": format_time(of.since)},
        evidence.shipment_events,
    ),
    Collection(
        # The numbers of a subscription's statuses are documented for filters; for boxes the word was seen to work.
        "cancelled_subscriptions",
        "subscriptions",
        _SUBSCRIPTION,
        lambda of: {"status": "3", "end_date__ge": format_time(max(0, of.since - CANCELLED_LOOKBACK_US))},
        evidence.cancelled_subscription_events,
    ),
    Collection(
        "cancelled_shipments",
        "shipments",
        _SHIPMENT,
        lambda of: {
            "status": "cancelled",
            "adjusted_ordered_at__ge": format_time(max(0, of.since - CANCELLED_LOOKBACK_US)),
        },
        evidence.cancelled_shipment_events,
    ),
)

COLLECTIONS: dict[str, Collection] = {row.name: row for row in _COLLECTIONS}
OBSERVABLE_EVENTS = (
    "customer_new",
    "order_new",
    "transaction_new",
    "subscription_new",
    "subscription_renewed",
    "shipment_shipped",
    "subscription_cancelled",
    "shipment_cancelled",
)  # what the API can show; the other nine it cannot
