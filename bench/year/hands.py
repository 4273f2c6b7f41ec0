"""Whose hands are at work: the year, what is true in it, and what there is to do something to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bench.year.truth import Truth
from bench.year.world import DAY, Year
from pipeline.core.fulfilment import State
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.orders import list_in_states
from pipeline.ledger.fulfilment.warehouses import UNUSUAL, get_warehouse
from sandbox.store.state import Row
from sandbox.warehouse.orders import Order

T = TypeVar("T")


class NothingToDo(Exception):
    """There is nothing that the step could be done to."""


def choose(items: Sequence[T], number: int) -> T:
    if not items:
        raise NothingToDo
    return items[number % len(items)]


@dataclass
class Hands:
    """What everyone who does something in a year has."""

    year: Year
    truth: Truth
    ends: dict[str, float] = field(default_factory=dict)  # what ends by itself, and when
    done: dict[str, int] = field(default_factory=dict)

    def resume(self) -> None:
        """Go on after a pause. Before an unusual number of boxes passes, a second load is cancelled at the store."""
        year, truth = self.year, self.truth
        with reading(year.engine) as conn:
            reason = get_warehouse(conn, year.store_id).status_reason or ""
        if reason.startswith(UNUSUAL):
            truth.stopped += 1
            for box in [year.store.state.get("shipments", number) for number in truth.second_load]:
                if box["status"] == "unshipped":
                    year.merchant("shipments", box["id"], "cancel")
            year.deliver_hooks()
            year.settle()
            with reading(year.engine) as conn:
                rows = list_in_states(conn, year.store_id, {State.READY})
            if truth.second_load & {row.shipment_id for row in rows}:
                return  # the store is away: nothing passes before it has shown the cancels
        year.resume()

    def find_orders(self, status: str) -> list[Row]:
        return [row for row in self.year.store.state.rows("orders") if row["financial_status"] == status]

    def find_subscriptions(self, status: str) -> list[Row]:
        return [row for row in self.year.store.state.rows("subscriptions") if row["status"] == status]

    def find_boxes(self, status: str) -> list[Row]:
        """Boxes in this status, those of the next two weeks first: the others have time."""
        rows = [row for row in self.year.store.state.rows("shipments") if row["status"] == status]
        soon = self.year.iso(14 * DAY)
        return [row for row in rows if row["adjusted_ordered_at"] <= soon][-20:] or rows

    def find_open_orders(self) -> list[Order]:
        return [order for order in self.year.floor.floor.orders.values() if order.is_live and order.shipped_at is None]
