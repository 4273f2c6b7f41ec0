"""Which events an object of a store's API shows.

An object is the body that the event's hook has, so the identity in the event catalogue holds for both. An event without
an identity of its own there (an update, a failed checkout) cannot be recognised in an object, and is left out.
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
    """One event that an object shows. `data`: the body of its hook.

    at: when the event occurred (µs), if the object or one beside it says so; else `not_before` is the earliest time
    possible. is_renewal_order: the order of a renewal, for which a store may or may not send a hook. renewed_at: the
    times of the renewals of a subscription, as far as its orders show them.
    """

    event: str
    data: Object
    at: int | None = None
    not_before: int | None = None
    is_renewal_order: bool = False
    renewed_at: tuple[int, ...] = ()

    @property
    def event_row(self) -> EventRow:
        """The event's row in the catalogue."""
        return get_event_row(self.event)

    def identify(self, as_of: int) -> EventIdentity | None:
        """The event's identity; None if the object lacks a field that it is made of."""
        identity = identify_event(self.event_row, self.data, "", as_of)
        return None if identity.is_windowed else identity


EvidenceFinder = Callable[[Object], Iterator[EventEvidence]]


def customer_events(customer: Object) -> Iterator[EventEvidence]:
    """No field of a customer says when they registered."""
    yield EventEvidence("customer_new", customer)


def order_events(order: Object) -> Iterator[EventEvidence]:
    """An order without a date was never placed: its checkout failed."""
    if order.get("placed_at"):
        at = parse_time_us(order["placed_at"])
        yield EventEvidence("order_new", order, at, is_renewal_order=bool(order.get("is_renewal")))


def transaction_events(transaction: Object) -> Iterator[EventEvidence]:
    """A transaction's hook has the order beside the transaction; the API has it inside."""
    data = schemas.load("transaction_hook", transaction).data
    yield EventEvidence("transaction_new", data, parse_time_us(transaction.get("created_at")))


def subscription_events(subscription: Object) -> Iterator[EventEvidence]:
    """The newest order of a renewal dates the event: of several renewals only the last end date can still be seen."""
    orders = [order for order in subscription.get("orders") or () if isinstance(order, Mapping)]
    data = {name: value for name, value in subscription.items() if name != "orders"}  # hooks do not have them
    yield EventEvidence("subscription_new", data, parse_time_us(subscription.get("start_date")))
    renewed_at = [at for order in orders if order.get("is_renewal") and (at := parse_time_us(order.get("placed_at")))]
    if renewed_at:
        yield EventEvidence("subscription_renewed", data, max(renewed_at), renewed_at=tuple(renewed_at))


def cancelled_subscription_events(subscription: Object) -> Iterator[EventEvidence]:
    """A cancelled subscription does not say when it was cancelled."""
    if subscription.get("status") == CANCELLED:
        yield EventEvidence(
            "subscription_cancelled", subscription, not_before=parse_time_us(subscription.get("start_date"))
        )


def shipment_events(shipment: Object) -> Iterator[EventEvidence]:
    """A shipment that was sent."""
    if shipment.get("status") == SHIPPED:
        yield EventEvidence("shipment_shipped", shipment, parse_time_us(shipment.get("shipped_at")))


def cancelled_shipment_events(shipment: Object) -> Iterator[EventEvidence]:
    """A cancelled shipment does not say when it was cancelled."""
    if shipment.get("status") == CANCELLED:
        yield EventEvidence("shipment_cancelled", shipment, not_before=parse_time_us(shipment.get("created_at")))
