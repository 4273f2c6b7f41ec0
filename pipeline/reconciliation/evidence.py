"""Which happenings an object of a store's API shows. Pure: touches nothing.

An object is the event's body as a hook would have told it, so the event table's identity holds for both. What has no
identity of its own in that table (an update, a failed checkout) cannot be recognised in an object, and is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemas
from pipeline.events.catalogue import EventRow, get_event_row
from pipeline.events.fields import parse_time_us
from pipeline.events.identity import EventIdentity, identify_event

Object = dict[str, Any]  # as `schemas` loads one
CANCELLED, SHIPPED = "cancelled", "shipped"


@dataclass(frozen=True, slots=True)
class EventEvidence:
    """One happening an object shows. `data`: the body its hook would have had.

    at: when it happened (µs), as far as the object or one beside it tells. not_before: if it does not tell, a moment
    it cannot have happened before. renewal_order: an order of a renewal, of which a store may or may not tell.
    """

    event: str
    data: Object
    at: int | None = None
    not_before: int | None = None
    renewal_order: bool = False
    renewals: tuple[int, ...] = ()

    @property
    def row(self) -> EventRow:
        """Its row in the event table."""
        return get_event_row(self.event)

    def happening(self, as_of: int) -> EventIdentity | None:
        """Its identity; None if the object lacks what that is made of."""
        found = identify_event(self.row, self.data, "", as_of)
        return None if found.is_windowed else found


EvidenceFinder = Callable[[Object], Iterator[EventEvidence]]


def customer_events(customer: Object) -> Iterator[EventEvidence]:
    """Nothing in a customer says when they registered."""
    yield EventEvidence("customer_new", customer)


def order_events(order: Object) -> Iterator[EventEvidence]:
    """An order without a date was never placed: its checkout failed."""
    if order.get("placed_at"):
        at = parse_time_us(order["placed_at"])
        yield EventEvidence("order_new", order, at, renewal_order=bool(order.get("is_renewal")))


def transaction_events(transaction: Object) -> Iterator[EventEvidence]:
    """A transaction's hook has its order beside it, the API within it."""
    data = schemas.load("transaction_hook", transaction).data
    yield EventEvidence("transaction_new", data, parse_time_us(transaction.get("created_at")))


def subscription_events(subscription: Object) -> Iterator[EventEvidence]:
    """The newest order of a renewal dates the renewal: only the end date it led to can still be seen."""
    orders = [order for order in subscription.get("orders") or () if isinstance(order, Mapping)]
    data = {name: value for name, value in subscription.items() if name != "orders"}  # no hook brings them
    yield EventEvidence("subscription_new", data, parse_time_us(subscription.get("start_date")))
    renewals = [at for order in orders if order.get("is_renewal") and (at := parse_time_us(order.get("placed_at")))]
    if renewals:
        yield EventEvidence("subscription_renewed", data, max(renewals), renewals=tuple(renewals))


def cancelled_subscription_events(subscription: Object) -> Iterator[EventEvidence]:
    """A cancelled subscription does not say since when."""
    if subscription.get("status") == CANCELLED:
        yield EventEvidence(
            "subscription_cancelled", subscription, not_before=parse_time_us(subscription.get("start_date"))
        )


def shipment_events(shipment: Object) -> Iterator[EventEvidence]:
    """A box that was sent."""
    if shipment.get("status") == SHIPPED:
        yield EventEvidence("shipment_shipped", shipment, parse_time_us(shipment.get("shipped_at")))


def cancelled_shipment_events(shipment: Object) -> Iterator[EventEvidence]:
    """A cancelled box does not say since when."""
    if shipment.get("status") == CANCELLED:
        yield EventEvidence("shipment_cancelled", shipment, not_before=parse_time_us(shipment.get("created_at")))
