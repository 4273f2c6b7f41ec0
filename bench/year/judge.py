"""Whether the fulfilment lived up to what is true, once no trouble is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.year.truth import FOR_PEOPLE, Truth
from bench.year.world import DAY
from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.fulfilment.stored_settings import find_no_tracking_days
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from pipeline.ledger.queries.fulfilment import list_late_boxes
from sandbox.store.state import Row
from sandbox.warehouse.orders import Order

LATELY_S = 7 * DAY  # so long may a box be at the warehouse
# Where a box may rest: it has come to its end, its time has not come, or a person has to decide.
ENDED = frozenset({State.CONFIRMED, State.CANCELLED, State.SKIPPED})
NOT_YET = frozenset({"not_due", "cooling_off", "billing_type_unknown"})


@dataclass
class Judge:
    """Compares everything at the end of a year."""

    truth: Truth

    def judge(self) -> list[str]:
        """Everything that is wrong, once no trouble is left and the warehouse has shipped what it has."""
        found = list(self.truth.wrong)
        found += [f"{one} and {two} are the same box" for one, two in self.truth.year.floor.floor.twice]
        orders, rows = self.truth.find_orders(), self.truth.load_rows()
        for box in self.truth.year.store.state.rows("shipments"):
            number = box["id"]
            texts = self._judge_box(box, orders.get(number, []), rows.get(number, []))
            found += [f"box {number} ({box['status']}): {text}" for text in texts]
        found += self._judge_tracking(orders)
        with reading(self.truth.year.engine) as conn:
            apart = list_quarantined(conn, self.truth.year.store_id)
        found += [f"{one.order_number}: its tracking is in quarantine" for one in apart]
        return found

    def _judge_box(self, box: Row, orders: list[Order], rows: list[OrderRow]) -> Iterator[str]:
        if not rows:
            yield from self._judge_unseen(box)
            return
        live = [order for order in orders if order.is_live]
        newest = max(rows, key=lambda row: row.resend_no)
        standing = f"{newest.state.value}({newest.reason or ''})"
        if len(live) > 1 or len({order.number for order in orders}) < len(orders):
            yield f"it was sent more than once: {[(order.number, order.stage) for order in orders]}"
        yield from self._judge_mails(box)
        yield from self._judge_rest(newest, standing)
        if box["id"] in self.truth.left_for_old and box["status"] == "shipped" and box["id"] not in self.truth.by_hand:
            yield from self._judge_notice(rows)
        has_left = any(package.tracking for order in live for package in order.packages)
        if box["status"] == "unshipped":
            yield from self._judge_unshipped(box, newest, standing, has_left=has_left)
        if box["status"] == "shipped" and live and newest.state not in self._list_shipped_states(box):
            yield f"it is shipped, and stands at {standing}"
        if box["status"] == "shipped" and not live and box["id"] not in self.truth.by_hand:
            yield f"it is marked as shipped, and nothing has left: {standing}"
        if box["status"] == "cancelled":
            yield from self._judge_cancelled(newest, standing, has_left=has_left, is_open=bool(live) and not has_left)

    def _judge_unseen(self, box: Row) -> Iterator[str]:
        """A box that was never found: it was gone before anyone looked, or is far off."""
        is_far = self.truth.find_due(box) > self.truth.year.now
        if box["status"] == "unshipped" and not is_far and not box["is_test"]:
            yield "it was never found"

    def _judge_mails(self, box: Row) -> Iterator[str]:
        state = self.truth.year.store.state
        mails = sum(letter["shipment_id"] == box["id"] for letter in state.outbox)
        if mails != (box["status"] == "shipped"):
            yield f"its buyer got {mails} e-mails"
        if state.shipped_puts[box["id"]] > (box["id"] not in self.truth.by_hand):
            yield f"it was marked as shipped {state.shipped_puts[box['id']]} times"

    def _judge_notice(self, rows: list[OrderRow]) -> Iterator[str]:
        with reading(self.truth.year.engine) as conn:
            events = list_order_events(conn, [row.id for row in rows])
        if not any("address_changed" in (event.detail or {}).get("changes", ()) for event in events):
            yield "no person was given notice that it left for an address that had been changed"

    def _list_shipped_states(self, box: Row) -> set[State]:
        # By hand: a parcel left after the cancel, and the merchant has marked it as shipped since.
        by_hand = {State.SHIPPED_AFTER_CANCEL} if box["id"] in self.truth.by_hand else set()
        return {State.CONFIRMED, State.EXTERNALLY_SHIPPED} | by_hand

    def _judge_rest(self, row: OrderRow, standing: str) -> Iterator[str]:
        is_early = row.state is State.DISCOVERED and row.reason in NOT_YET
        if row.state not in ENDED | FOR_PEOPLE and not is_early and not self._is_under_way(row):
            yield f"it is stuck at {standing}"
        if row.state in FOR_PEOPLE and row.reason not in REASONS:
            yield f"a person is given no reason: {standing}"

    def _is_under_way(self, row: OrderRow) -> bool:
        """Whether the warehouse has just been given it, or a person is asked to find out its tracking number.

        A warehouse that is never asked says once that a box has left, or not at all if its number is missing.
        """
        is_late = self.truth.year.now - row.state_at / 1_000_000 >= LATELY_S
        is_noticed = row.notice_at is not None and row.notice == "no_tracking"
        is_noticed |= not self.truth.year.is_asked and row.id in self._list_untracked()
        return row.state is State.AT_WAREHOUSE and (not is_late or is_noticed)

    def _list_untracked(self) -> set[int]:
        year = self.truth.year
        with reading(year.engine) as conn:
            days = find_no_tracking_days(get_warehouse(conn, year.store_id).settings)
            late = list_late_boxes(conn, year.store_id, year.context.now(), days)
        return {line.id for line in late.sent_without_tracking}

    def _judge_unshipped(self, box: Row, row: OrderRow, standing: str, *, has_left: bool) -> Iterator[str]:
        if row.state in FOR_PEOPLE or self._is_under_way(row):
            return
        if has_left:
            yield f"it has left, and Cratejoy does not know: {standing}"
        elif row.state is State.DISCOVERED and self.truth.find_due(box) > self.truth.year.now:
            return
        elif not (row.state is State.SKIPPED and (box["is_test"] or row.reason == "all_lines_cancelled")):
            yield f"it is owed, and stands at {standing}"

    def _judge_cancelled(self, row: OrderRow, standing: str, *, has_left: bool, is_open: bool) -> Iterator[str]:
        if has_left and row.state not in (State.SHIPPED_AFTER_CANCEL, State.FAILED):
            yield f"it has left although it is cancelled, and stands at {standing}"
        if is_open and row.state is not State.CANCEL_REFUSED:
            yield f"the warehouse still has it, and it stands at {standing}"
        if not has_left and not is_open and row.state not in (State.CANCELLED, State.SKIPPED):
            yield f"it is cancelled, and stands at {standing}"

    def _judge_tracking(self, orders: Mapping[int, list[Order]]) -> Iterator[str]:
        """Every tracking number that left with a box is at Cratejoy once, at that box."""
        boxes = self.truth.year.store.state.rows("shipments")
        shown = Counter(box["tracking_number"] for box in boxes if box["tracking_number"])
        yield from (f"{number} is at Cratejoy {times} times" for number, times in shown.items() if times > 1)
        for box in boxes:
            if box["status"] != "shipped" or box["id"] in self.truth.by_hand:
                continue
            left = [
                package.tracking for order in orders.get(box["id"], []) if order.is_live for package in order.packages
            ]
            if box["tracking_number"] not in left:
                yield f"box {box['id']}: Cratejoy has {box['tracking_number']}, and {left} have left"
