"""The three lists that are empty in a healthy shop, compared with what the store and the warehouse know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.year.truth import Truth
from bench.year.watch import Watch
from bench.year.world import DAY, HOUR
from pipeline.fulfilment.stored_settings import find_no_tracking_days
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from pipeline.ledger.queries.fulfilment import LateBoxes, list_late_boxes
from sandbox.store.state import Row
from sandbox.warehouse.orders import Order


@dataclass
class Lists:
    """Compares the lists. `compared`: how many boxes have been; `listed`: how many of them stood in a list."""

    truth: Truth
    watch: Watch
    compared: int = 0
    listed: int = 0

    def compare(self) -> list[str]:
        """What the lists have that is not so, and what is so and not in them."""
        shown, days = self._load()
        boxes, orders = self.watch.list_known(), self.truth.find_orders()
        found: list[str] = []
        for name, is_late in _RULES.items():
            listed = {line.shipment_id for line in getattr(shown, name)}
            for box in boxes:
                if name == "paid_not_sent" and self._waits_for_export(box):
                    continue
                is_true = is_late(self.truth, box, orders.get(box["id"], []), days)
                self.compared, self.listed = self.compared + 1, self.listed + is_true
                if is_true != (box["id"] in listed):
                    found.append(f"box {box['id']} ({box['status']}): is {'not ' * is_true}listed as {name}")
        return found

    def _waits_for_export(self, box: Row) -> bool:
        """Where the warehouse is a spreadsheet, a box has a week until it is late."""
        truth = self.truth
        return truth.year.exchanges_files and truth.find_due(box) > truth.year.now - 8 * DAY

    def find_any(self) -> list[str]:
        """What stands in the lists: nothing in a healthy year."""
        shown, _ = self._load()
        return [
            f"{line.order_number}: is listed as {name} in a healthy year"
            for name in _RULES
            for line in getattr(shown, name)
        ]

    def _load(self) -> tuple[LateBoxes, int]:
        year = self.truth.year
        with reading(year.engine) as conn:
            days = find_no_tracking_days(get_warehouse(conn, year.store_id).settings)
            return list_late_boxes(conn, year.store_id, year.context.now(), days), days


def _is_unsent(truth: Truth, box: Row, orders: Sequence[Order], _: int) -> bool:
    """Paid, due for an hour, and not at the warehouse."""
    is_wanted = box["status"] == "unshipped" and not box["is_test"] and box["id"] not in truth.seen
    has_been = any(order.is_live or order.packages for order in orders)
    return is_wanted and not has_been and truth.is_paid(box) and truth.find_due(box) <= truth.year.now - HOUR


def _is_untracked(truth: Truth, box: Row, orders: Sequence[Order], days: int) -> bool:
    """At the warehouse for so many days, and its tracking is not whole."""
    since = truth.year.now - days * DAY
    return box["status"] != "shipped" and any(
        order.is_live and order.created_at < since and not _has_left(order) for order in orders
    )


def _is_unsaid(truth: Truth, box: Row, orders: Sequence[Order], _: int) -> bool:
    """It has left with its tracking, and its customer was sent no e-mail."""
    is_unsaid = box["status"] != "shipped" and box["id"] not in truth.seen
    return is_unsaid and any(order.is_live and _has_left(order) for order in orders)


def _has_left(order: Order) -> bool:
    return order.shipped_at is not None and any(package.tracking for package in order.packages)


_RULES: Mapping[str, Callable[[Truth, Row, Sequence[Order], int], bool]] = {
    "paid_not_sent": _is_unsent,
    "sent_without_tracking": _is_untracked,
    "shipped_customer_not_informed": _is_unsaid,
}
