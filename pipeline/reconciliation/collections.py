"""The collections of a store's API that a pass reads: one row each, in the order in which events happen to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.events.fields import format_time
from pipeline.reconciliation import evidence
from pipeline.reconciliation.evidence import EvidenceFinder

DAY_US = 86_400_000_000  # µs
# Cancelled objects do not say when they were cancelled. They are searched for until this long after the end of the
# paid period, or the day on which the shipment was due: most are cancelled about then, or before.
CANCELLED_LOOKBACK_US = 60 * DAY_US


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """From where a collection is read: a time (µs), and the largest id that has been compared already."""

    since: int
    max_id: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One list of the API. `relations`: those that a hook's body has. `is_read_by_id`: its objects have no date."""

    name: str
    resource: str
    relations: tuple[str, ...]
    filters: Callable[[ReadFrom], Mapping[str, str]]
    find_events: EvidenceFinder
    is_read_by_id: bool = False


@dataclass(frozen=True, slots=True)
class IdSearch:
    """A search for the largest id of a collection by requests for larger ids: a few, however many objects there are.

    Customers have no date; those with a larger id than any had when the store was connected came later. The stride
    doubles while there are larger ids, and shrinks after the first empty response.
    """

    low: int = 0  # the largest id seen so far
    stride: int = 1
    is_shrinking: bool = False

    @property
    def asked(self) -> int:
        """The next request is for ids above this one."""
        return self.low + self.stride - 1

    def is_finished_by(self, found: Sequence[int]) -> bool:
        """Whether this response (some of the ids above) shows that there is none above the largest seen."""
        return not found and self.stride == 1

    def after(self, found: Sequence[int]) -> IdSearch:
        """The search after a response."""
        is_shrinking = self.is_shrinking or not found
        stride = max(1, self.stride // 2) if is_shrinking else self.stride * 2
        return IdSearch(max([self.low, *found]), stride, is_shrinking)


_SUBSCRIPTION = ("customer", "billing", "term", "product", "instance", "subscription_gift_info", "address")
_SHIPMENT = ("customer", "fulfillments", "labels", "ship_address")

_COLLECTIONS = (
    Collection(
        "customers",
        "customers",
        ("addresses",),
        lambda start: {"id__gt": str(start.max_id)},
        evidence.customer_events,
        is_read_by_id=True,
    ),
    Collection(
        "orders",
        "orders",
        ("customer", "products"),
        lambda start: {"placed_at__ge": format_time(start.since)},
        evidence.order_events,
    ),
    Collection(
        "transactions",
        "transactions",
        ("order",),
        lambda start: {"created_at__ge": format_time(start.since)},
        evidence.transaction_events,
    ),
    Collection(
        # A subscription starts with an order and is renewed with one; there is no other date to filter by.
        "subscriptions",
        "subscriptions",
        (*_SUBSCRIPTION, "orders"),
        lambda start: {"orders.placed_at__ge": format_time(start.since)},
        evidence.subscription_events,
    ),
    Collection(
        "shipments",
        "shipments",
        _SHIPMENT,
        lambda start: {"shipped_at__ge": format_time(start.since)},
        evidence.shipment_events,
    ),
    Collection(
        # Filters take the documented number of a subscription's status; for shipments the word was seen to work.
        "cancelled_subscriptions",
        "subscriptions",
        _SUBSCRIPTION,
        lambda start: {"status": "3", "end_date__ge": format_time(max(0, start.since - CANCELLED_LOOKBACK_US))},
        evidence.cancelled_subscription_events,
    ),
    Collection(
        "cancelled_shipments",
        "shipments",
        _SHIPMENT,
        lambda start: {
            "status": "cancelled",
            "adjusted_ordered_at__ge": format_time(max(0, start.since - CANCELLED_LOOKBACK_US)),
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
)  # the API shows these; the other nine events it does not
