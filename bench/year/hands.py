"""Whose hands are at work: the year, what is true in it, and what there is to do something to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bench.year.truth import Truth
from bench.year.world import DAY, Year
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
