"""What buyers and the merchant do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.year.hands import Hands, NothingToDo, choose
from bench.year.plan import Step
from bench.year.world import DAY
from sandbox.store import catalogue, dates
from sandbox.store.shop import customers, subscriptions
from sandbox.store.state import Row

TEST_EVERY = 31  # sales
BILLINGS = ("standard", "adhoc")
TERMS = (3, 6)
MAX_SUBSCRIPTIONS = 40
SECOND_LOAD = 40  # boxes: more than may join a batch after its freeze
LATELY_S = 20 * DAY


class Shop(Hands):
    """Buyers, and the merchant in the dashboard."""

    def buy(self, step: Step) -> None:
        self._sell(step, billing=choose(BILLINGS, step.how), target=self._day(step.how % 5))

    def buy_prepaid(self, step: Step) -> None:
        self._sell(
            step,
            billing=choose(BILLINGS, step.how),
            cycles=choose(TERMS, step.how // 2),
            target=self._day(step.how % 9),
        )

    def buy_again(self, step: Step) -> None:
        """For a further recipient, behind the same e-mail address."""
        buyer = choose(list(self.year.store.state.rows("customers")), step.who)
        gift = {"name": f"Friend {step.how}"} if step.how % 2 else None
        self._sell(step, customer_id=buyer["id"], billing="adhoc", target=self._day(step.how % 4), gift=gift)

    def buy_gift(self, step: Step) -> None:
        email = f"friend{step.who}@example.com" if step.how % 3 else None
        gift = {"name": f"Friend {step.who}", "email": email, "message": "Enjoy"}
        self._sell(step, billing=choose(BILLINGS, step.how), target=self._day(step.how % 4), gift=gift)

    def buy_once(self, step: Step) -> None:
        items = [row["sku"] for row in catalogue.items(self.year.store.state)]
        self._sell(step, billing="ecom", skus=[choose(items, step.how)])

    def sell_unpaid(self, step: Step) -> None:
        self._sell(step, billing=choose(("ecom", "adhoc"), step.how), is_paid=False, target=self._day(0))

    def _sell(self, step: Step, **sale: Any) -> None:
        if sale["billing"] != "ecom" and len(self.find_subscriptions("active")) >= MAX_SUBSCRIPTIONS:
            raise NothingToDo
        given = {name: value for name, value in sale.items() if value is not None}
        self.year.sell({"address": self.truth.invent_address(), "is_test": step.who % TEST_EVERY == 1} | given)

    def _day(self, days: int) -> str:
        return self.year.iso(days * DAY)

    def pay(self, step: Step) -> None:
        self._merchant("orders", self.find_orders("unpaid"), step, "pay")

    def refund(self, step: Step) -> None:
        self._merchant("orders", self.find_orders("paid"), step, "refund")

    def cancel_subscription(self, step: Step) -> None:
        self._merchant("subscriptions", self.find_subscriptions("active"), step, "cancel", keep_boxes=step.how % 2 == 1)

    def activate_subscription(self, step: Step) -> None:
        self._merchant("subscriptions", self.find_subscriptions("cancelled"), step, "activate")

    def cancel_box(self, step: Step) -> None:
        self._merchant("shipments", self.find_boxes("unshipped"), step, "cancel")

    def uncancel_box(self, step: Step) -> None:
        boxes = [box for box in self.find_boxes("cancelled") if box["id"] not in self.truth.second_load]
        self._merchant("shipments", boxes, step, "uncancel")

    def change_address(self, step: Step) -> None:
        """Of one box."""
        self._merchant("shipments", self.find_boxes("unshipped"), step, "address", **self.truth.invent_address())

    def move_customer(self, step: Step) -> None:
        """A saved address is changed: of each box, and each renewal, that goes there."""
        state = self.year.store.state
        box = choose(self.find_boxes("unshipped"), step.who)
        customers.change_address(
            self.year.store.shop, state.get("addresses", box["_address_id"]), self.truth.invent_address()
        )

    def move_date(self, step: Step) -> None:
        self._merchant("shipments", self.find_boxes("unshipped"), step, "move", target=self._day(step.how % 20))

    def ship_by_hand(self, step: Step) -> None:
        box = choose(self.find_boxes("unshipped"), step.who)
        self.truth.by_hand.add(box["id"])
        given = {"tracking_number": f"HAND{box['id']}"} if step.how % 2 else {}
        self.year.merchant("shipments", box["id"], "ship", **given)

    def load_batch_again(self, _: Step) -> None:
        """By mistake the store has the boxes of a batch a second time, and a third, after its end."""
        state, now = self.year.store.state, self.year.now
        ended = [
            batch
            for batch in state.rows("shipment_batches")
            if batch["id"] in self.truth.frozen and dates.seconds(batch["end"]) > now - LATELY_S
        ]
        batch = choose(ended, 0)
        boxes = [box for box in state.rows("shipments") if box["_batch_id"] == batch["id"] and not box["is_test"]]
        for number in range(SECOND_LOAD if boxes else 0):
            self._copy(boxes[number % len(boxes)])

    def _copy(self, box: Row) -> None:
        state = self.year.store.state
        fresh = {"id": 0, "status": "unshipped", "shipped_at": None, "tracking_number": None}
        copy = state.insert("shipments", {**box, **fresh})
        for line in state.of("fulfillments", "shipment_id", box["id"]):
            state.insert("fulfillments", {**line, "id": 0, "shipment_id": copy["id"], "status": "open"})
        self.truth.second_load.add(copy["id"])

    def cancel_line(self, step: Step) -> None:
        self._merchant("shipments", self.find_boxes("unshipped"), step, "cancel_line")

    def _merchant(self, kind: str, rows: Sequence[Row], step: Step, act: str, **given: Any) -> None:
        self.year.merchant(kind, choose(rows, step.who)["id"], act, **given)

    def renew(self) -> None:
        """The store charges the saved cards of those whose term has ended; a term that is not renewed expires."""
        shop, now = self.year.store.shop, self.year.now
        for row in self.find_subscriptions("active"):
            if dates.seconds(row["end_date"]) > now:
                continue
            if row["autorenew"]:
                subscriptions.renew(shop, row)
            else:
                subscriptions.set_status(shop, row, "expired")
