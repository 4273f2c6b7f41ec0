"""Which happenings an object of a store's API shows. Pure: touches nothing.

An object is the event's body as a hook would have told it, so the event table's identity holds for both. What has no
identity of its own in that table (an update, a failed checkout) cannot be recognised in an object, and is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemas
from pipeline.events.happening import Happening, happening_of
from pipeline.events.paths import micros
from pipeline.events.table import EventRow, row_of

Object = dict[str, Any]  # as `schemas` loads one
CANCELLED, SHIPPED = "cancelled", "shipped"


@dataclass(frozen=True, slots=True)
class Shown:
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
        return row_of(self.event)

    def happening(self, as_of: int) -> Happening | None:
        """Its identity; None if the object lacks what that is made of."""
        found = happening_of(self.row, self.data, "", as_of)
        return None if found.windowed else found


Show = Callable[[Object], Iterator[Shown]]


def registered(customer: Object) -> Iterator[Shown]:
    """Nothing in a customer says when they registered."""
    yield Shown("customer_new", customer)


def placed(order: Object) -> Iterator[Shown]:
    """An order without a date was never placed: its checkout failed."""
    if order.get("placed_at"):
        at = micros(order["placed_at"])
        yield Shown("order_new", order, at, renewal_order=bool(order.get("is_renewal")))


def moved(transaction: Object) -> Iterator[Shown]:
    """A transaction's hook has its order beside it, the API within it."""
    data = schemas.load("transaction_hook", transaction).data
    yield Shown("transaction_new", data, micros(transaction.get("created_at")))


def begun_or_renewed(subscription: Object) -> Iterator[Shown]:
    """The newest order of a renewal dates the renewal: only the end date it led to can still be seen."""
    orders = [order for order in subscription.get("orders") or () if isinstance(order, Mapping)]
    data = {name: value for name, value in subscription.items() if name != "orders"}  # no hook brings them
    yield Shown("subscription_new", data, micros(subscription.get("start_date")))
    renewals = [at for order in orders if order.get("is_renewal") and (at := micros(order.get("placed_at")))]
    if renewals:
        yield Shown("subscription_renewed", data, max(renewals), renewals=tuple(renewals))


def ended(subscription: Object) -> Iterator[Shown]:
    """A cancelled subscription does not say since when."""
    if subscription.get("status") == CANCELLED:
        yield Shown("subscription_cancelled", subscription, not_before=micros(subscription.get("start_date")))


def left(shipment: Object) -> Iterator[Shown]:
    """A box that was sent."""
    if shipment.get("status") == SHIPPED:
        yield Shown("shipment_shipped", shipment, micros(shipment.get("shipped_at")))


def called_off(shipment: Object) -> Iterator[Shown]:
    """A cancelled box does not say since when."""
    if shipment.get("status") == CANCELLED:
        yield Shown("shipment_cancelled", shipment, not_before=micros(shipment.get("created_at")))
