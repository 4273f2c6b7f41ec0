"""Watches when what is true of each box has changed, and of which boxes the fulfilment must know all of it by now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.year.truth import AHEAD_S, Truth
from bench.year.world import HOUR, MINUTE
from sandbox.store import dates
from sandbox.store.state import Row
from sandbox.warehouse.orders import Order

KNOWN_AFTER_S = 2 * HOUR  # without trouble: the searches, the polls and the hourly attempts have come round
PARTS_S = (20 * MINUTE, 20 * MINUTE, 81 * MINUTE)  # in which nothing happens before a comparison


@dataclass
class Watch:
    """What the store and the warehouse know of each box, and since when that is so."""

    truth: Truth
    changed_at: dict[int, float] = field(default_factory=dict)
    _facts: dict[int, object] = field(default_factory=dict)
    _quiet_since: float | None = None
    _pending: object = None
    _known_until: float = 0.0
    _finished: set[int] = field(default_factory=set)

    def look(self) -> None:
        """Note what has changed since the last look, and whether anything stands between the two sides."""
        year, orders = self.truth.year, self.truth.find_orders()
        is_lasting, pending = year.find_trouble()
        has_struck, self._pending = pending != self._pending, pending
        if is_lasting or has_struck:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = year.now
        elif year.now - self._quiet_since >= KNOWN_AFTER_S:
            self._known_until = year.now - KNOWN_AFTER_S
        for box in year.store.state.rows("shipments"):
            if box["id"] not in self._finished:
                self._look_at(box, orders.get(box["id"], []))

    def list_known(self, later_s: float = 0.0) -> Iterable[Row]:
        """The boxes of which the fulfilment knows all that is true of them: nothing has changed since it could look.

        While the store is away, boxes whose date was far off at its last answer are not known. `later_s`: how much more
        time it is given.
        """
        until = self._known_until - later_s
        boxes, now = self.truth.year.store.state.rows("shipments"), self.truth.year.now
        found = [box for box in boxes if self.changed_at.get(box["id"], now) <= until]
        return [box for box in found if dates.seconds(box["adjusted_ordered_at"]) <= until + AHEAD_S]

    def _look_at(self, box: Row, orders: list[Order]) -> None:
        state, now = self.truth.year.store.state, self.truth.year.now
        lines = state.of("fulfillments", "shipment_id", box["id"])
        subscription = state.find("subscriptions", box["_subscription_id"])
        facts = (
            box["status"],
            box["adjusted_ordered_at"],
            state.get("addresses", box["_address_id"])["street"],
            [(line["status"], state.get("orders", line["_order_id"])["financial_status"]) for line in lines],
            subscription and subscription["status"],
            [(order.stage, order.held_at, [package.tracking for package in order.packages]) for order in orders],
        )
        if box["status"] == "cancelled":
            self.truth.cancelled.add(box["id"])
        if self._facts.get(box["id"]) != facts:
            self._facts[box["id"]], self.changed_at[box["id"]] = facts, now
        elif box["status"] == "shipped" and now - self.changed_at[box["id"]] > 30 * 24 * HOUR:
            self._finished.add(box["id"])
