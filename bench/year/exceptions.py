"""What has to be in front of a person, and is: every exception with its reason, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.year.truth import FOR_PEOPLE, Truth
from bench.year.watch import Watch
from bench.year.world import DAY
from pipeline.attention.causes.fulfilment import BOXES_CAUSE
from pipeline.attention.item import Cause
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow
from sandbox.store.state import Row
from sandbox.warehouse.orders import Order

DELIVERY_TRIED_S, CONFIRM_TRIED_S = 15 * DAY, 30 * DAY
REREAD_S = 26 * 3_600  # a box at the warehouse is read once a day
NO_EXCEPTION = ""
_ENDS_BY_ITSELF = ("unpaid", "missing_cycle", "seen_by_person")
_COUNT = re.compile(r": (\d+) box")


@dataclass
class Exceptions:
    """Compares what waits for people with what is true. `compared`: how many exceptions there were, by reason."""

    truth: Truth
    watch: Watch

    def __post_init__(self) -> None:
        self.compared: Counter[str] = Counter()

    def compare(self) -> list[str]:
        """Exceptions that are not so, or without a person; and what the attention list has otherwise than the boxes."""
        orders, rows = self.truth.find_orders(), self.truth.load_rows()
        found: list[str] = []
        for box in self.watch.list_known():
            of_box = rows.get(box["id"])
            if of_box:
                newest = max(of_box, key=lambda row: row.resend_no)
                there = [order for order in orders.get(box["id"], []) if order.number == newest.order_number]
                texts = self._compare(box, newest, there)
                found += [f"box {box['id']} ({box['status']}): {text}" for text in texts]
        for box in self.watch.list_known(REREAD_S):
            if of_box := rows.get(box["id"]):
                newest = max(of_box, key=lambda row: row.resend_no)
                found += [f"box {box['id']} ({box['status']}): {text}" for text in self._compare_notice(box, newest)]
        every = [row for of_box in rows.values() for row in of_box]
        standings = Counter(name for row in every if (name := name_exception(row)))
        return found + self._compare_list(BOXES_CAUSE, standings)

    def _compare(self, box: Row, row: OrderRow, there: Sequence[Order]) -> Iterator[str]:
        stands, allowed = name_exception(row), self._expect(box, there)
        self.compared[stands] += bool(stands)
        if box["id"] in self.truth.seen:
            allowed = {*allowed, NO_EXCEPTION}
        if stands not in allowed:
            yield f"is {stands or 'in front of no one'} instead of {' or '.join(sorted(allowed)) or 'no exception'}"

    def _expect(self, box: Row, there: Sequence[Order]) -> set[str]:
        live = [order for order in there if order.is_live]
        if box["status"] == "cancelled":
            return self._expect_cancelled(live)
        if box["status"] == "shipped":
            is_other = box["id"] in self.truth.by_hand and there
            return {f"externally_shipped({reason})" for reason in _MARKED} if is_other else {NO_EXCEPTION}
        if live:
            return self._expect_there(live[-1])
        return self._expect_cancelled_there(box, there[-1]) if there else self._expect_unsent(box)

    def _expect_cancelled(self, live: Sequence[Order]) -> set[str]:
        if not live:
            return {NO_EXCEPTION}
        if any(package.tracking for package in live[-1].packages):  # without a number nothing says that it has left
            return {"shipped_after_cancel(parcel_after_cancel)"}
        reasons = {"too_late", "unsupported"} | ({"no_answer"} if self._was_away("warehouse_away", 0) else set())
        return {f"cancel_refused({reason})" for reason in reasons}

    def _expect_there(self, order: Order) -> set[str]:
        allowed = {NO_EXCEPTION}
        if order.order_id in self.truth.held:
            allowed.add("held(rejected_by_warehouse)")
        if order.packages and self._was_away("store_away", CONFIRM_TRIED_S):
            allowed.add("failed(confirm_failed)")
        return allowed

    def _expect_cancelled_there(self, box: Row, order: Order) -> set[str]:
        """Cancelled at the warehouse, and wanted by the store."""
        by_itself = "partly_shipped_and_cancelled" if order.packages else "cancelled_by_warehouse"
        by_operator = {f"cancelled_at_warehouse({by_itself})"}
        taken_back = {"held(uncancelled)"}
        if order.order_id not in self.truth.by_operator:
            return taken_back
        return by_operator | (taken_back if box["id"] in self.truth.cancelled else set())

    def _expect_unsent(self, box: Row) -> set[str]:
        truth, held = self.truth, "held(subscription_not_active)"
        subscription = truth.year.store.state.find("subscriptions", box["_subscription_id"])
        is_kept = subscription is not None and subscription["status"] != "active"
        if box["is_test"] or not truth.is_paid(box) or box["id"] in truth.released:
            return {NO_EXCEPTION}
        if truth.find_due(box) > truth.year.now:
            return {NO_EXCEPTION, held} if is_kept else {NO_EXCEPTION}
        if is_kept:
            return {held}
        failed = {"failed(delivery_failed)"} if self._was_away("warehouse_away", DELIVERY_TRIED_S) else set()
        return {NO_EXCEPTION, *failed}

    def _was_away(self, side: str, seconds: float) -> bool:
        return any(of == side and length >= seconds for of, length in self.truth.outages)

    def _compare_notice(self, box: Row, row: OrderRow) -> Iterator[str]:
        """Each change since the sending was reported, and one that is still so stands beside the box."""
        changes = self.truth.find_changes(box, row.order_number)
        if row.state.value not in ("at_warehouse", "partially_shipped") or not changes:
            return
        with reading(self.truth.year.engine) as conn:
            events = list_order_events(conn, [row.id])
        said = {one for event in events for one in (event.detail or {}).get("changes", ())}
        said |= {(event.detail or {}).get("notice") for event in events}
        if changes - said:
            yield f"no person was given notice of {', '.join(sorted(changes - said))}"
        elif row.notice_at is None or row.notice not in REASONS:
            yield f"its notice {row.notice} is in front of no one"
        self.compared[f"notice({row.notice})"] += 1

    def _compare_list(self, cause: Cause, standings: Counter[str]) -> list[str]:
        found_items = cause.find_items(self.truth.year.context)
        items = {"{}({})".format(*item.subject.split("/")[1:]): item for item in found_items}
        counts = {name: int(found[1]) for name, item in items.items() if (found := _COUNT.search(item.headline))}
        return [
            f"the attention list has {counts.get(name, 0)} boxes as {name}, and there are {standings[name]}"
            for name in {*counts, *standings}
            if counts.get(name, 0) != standings[name]
        ]


def name_exception(row: OrderRow) -> str:
    """State and reason of a box that waits for a person; empty if it does not."""
    is_open = row.state in FOR_PEOPLE and row.reason is not None and row.reason not in _ENDS_BY_ITSELF
    return f"{row.state.value}({row.reason})" if is_open else NO_EXCEPTION


_MARKED = ("marked_at_cratejoy", "other_tracking")
