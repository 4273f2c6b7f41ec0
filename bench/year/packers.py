"""What is done at the warehouse: the day's work, and what is out of the ordinary."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bench.year.hands import Hands, NothingToDo, choose
from bench.year.plan import Step
from bench.year.world import DAY, HOUR
from sandbox.warehouse.floor import Happening, NoSuchOrder, Parcel, Refused
from sandbox.warehouse.orders import Order
from sandbox.warehouse.posting import note_happening

PACK_AFTER_S, SHIP_AFTER_S, COMPLETE_AFTER_S = DAY, 36 * HOUR, 3 * DAY


class Packers(Hands):
    """The staff of the warehouse."""

    def pick(self, step: Step) -> None:
        self._floor(self.year.floor.floor.pick, step)

    def ship_now(self, step: Step) -> None:
        self._floor(self._ship, step)

    def ship_in_part(self, step: Step) -> None:
        self._require_words()
        floor = self.year.floor.floor
        self._floor(lambda order: floor.ship(order, [Parcel(lines=())], complete=False), step)

    def ship_without_tracking(self, step: Step) -> None:
        """The number comes later, or never."""
        floor = self.year.floor.floor
        self._floor(lambda order: floor.ship(order, [Parcel(tracking="")]), step)

    def cancel_at_warehouse(self, step: Step) -> None:
        self._require_words()
        self._floor(self._cancel, step)

    def hold(self, step: Step) -> None:
        self._require_words()
        floor = self.year.floor.floor
        order = choose(self.find_open_orders(), step.who)
        with suppress(Refused):
            floor.hold(order, "Held by an operator")
            self.truth.held.add(order.order_id)
            self.ends[f"hold {order.order_id}"] = self.year.now + 2 * DAY

    def foreign_parcel(self, step: Step) -> None:
        """Another shop's order leaves the same warehouse."""
        self._require_words()
        number = f"OTHER-{step.who}-{step.how}"
        self.year.packer("orders", order_number=number, channel=self.truth.channel)
        with suppress(ValueError, NoSuchOrder):
            self.year.packer("ship", order_number=number, channel=self.truth.channel)

    def _require_words(self) -> None:
        """A returned file says only what has left, and under which number."""
        if self.year.exchanges_files:
            raise NothingToDo

    def _floor(self, act: Callable[[Order], object], step: Step) -> None:
        order = choose(self.find_open_orders(), step.who)
        with self.year.floor.lock, suppress(Refused):
            act(order)

    def _cancel(self, order: Order) -> None:
        self.year.floor.floor.cancel_by_operator(order)
        self.truth.by_operator.add(order.order_id)

    def _ship(self, order: Order) -> None:
        """What is left of it."""
        self.year.floor.floor.ship(order, [Parcel()])

    def number_late(self) -> None:
        """Of the parcels without a tracking number, some get one after days; the others never do."""
        floor = self.year.floor.floor
        for order in floor.orders.values():
            for package in order.packages:
                is_late = self.year.now - package.shipped_at >= COMPLETE_AFTER_S
                if not package.tracking and is_late and order.order_id % 2:
                    package.tracking = f"LATE{package.package_id}"
                    floor.touch(order)
                    news = Happening("shipped", order, is_complete=order.shipped_at is not None)
                    note_happening(self.year.floor, news)

    def pack(self) -> None:
        """The day's work at the warehouse: everything leaves within two days."""
        floor, now = self.year.floor.floor, self.year.now
        for order in self.find_open_orders():
            age = now - order.created_at
            with suppress(Refused):
                if age >= (COMPLETE_AFTER_S if order.stage == "partial" else SHIP_AFTER_S):
                    self._ship(order)
                elif order.stage == "open" and age >= PACK_AFTER_S:
                    floor.pick(order)
