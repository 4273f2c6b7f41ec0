"""The warehouse itself: orders come in, are picked, packed, shipped or cancelled, whatever protocol brought them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.warehouse.orders import Line, Order, Package, shipment_of
from sandbox.warehouse.switches import Switches

# The step after which a cancel is refused -> the steps that refuse, with the reason.
CANCEL_REFUSALS: Mapping[str, Mapping[str, str]] = {
    "pick": {"picked": "picked", "packed": "label_printed", "partial": "shipped", "shipped": "shipped"},
    "pack": {"packed": "label_printed", "partial": "shipped", "shipped": "shipped"},
    "ship": {"partial": "shipped", "shipped": "shipped"},
}


class Refused(Exception):
    """The warehouse does not do it; `reason` is a word such as `picked`."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class NoSuchOrder(LookupError):
    """No order, or more than one, has this number."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package as the control endpoint describes it; what is None is made up."""

    tracking: str | None = None
    carrier: str | None = None
    method: str | None = None
    url: str | None = None
    shipped_at: float | None = None
    lines: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something the warehouse reports to a shop that listens: accepted, shipped, cancelled or rejected."""

    kind: str
    order: Order
    is_complete: bool = False
    detail: str | None = None


class Floor:
    """Every order, and what is done with it. The clock gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float], switches: Switches) -> None:
        """Open an empty warehouse."""
        self._clock = clock
        self.switches = switches
        self.report: Callable[[Happening], None] = lambda _: None
        self.forget()

    def forget(self) -> None:
        """Remove all orders and counts."""
        self.orders: dict[int, Order] = {}
        self._by_number: dict[tuple[str, str], list[Order]] = defaultdict(list)
        self._by_folded: dict[tuple[str, str], list[Order]] = defaultdict(list)
        self._by_shipment: dict[str, list[Order]] = defaultdict(list)
        self._open: dict[int, Order] = {}
        self._cancelling: dict[int, Order] = {}
        self.twice: list[tuple[str, str]] = []
        self._last_id = 4_100_000

    @property
    def now(self) -> float:
        """Return the time."""
        return self._clock()

    def new_id(self) -> int:
        """Return the next id; orders, lines and packages share one sequence."""
        self._last_id += 1
        return self._last_id

    # Orders

    def accept(self, channel: str, number: str, lines: Sequence[Line], received: Mapping[str, Any]) -> Order:
        """Take an order. A second live order of the same shipment is noted in `twice`."""
        now = self.now
        order = Order(self.new_id(), channel, number, list(lines), received, now, now)
        siblings = self._by_shipment[shipment_of(number)]
        self.twice += [(other.number, number) for other in siblings if other.is_live]
        siblings.append(order)
        self.orders[order.order_id] = self._open[order.order_id] = order
        self._by_number[channel, number].append(order)
        self._by_folded[channel, number.casefold()].append(order)
        self.report(Happening("accepted", order))
        return order

    def holds(self, channel: str, number: str) -> bool:
        """Is this number taken, visibly or not, by a live or a cancelled order?"""
        return bool(self._by_number.get((channel, number)))

    def find(self, channel: str, number: str) -> Order | None:
        """Return the latest visible order with this number."""
        found = [order for order in self._by_number.get((channel, number), ()) if self.is_visible(order)]
        return found[-1] if found else None

    def find_all(self, channel: str, numbers: Iterable[str]) -> list[Order]:
        """Return the visible orders with one of these numbers, oldest first; letters may be in either case."""
        wanted = {number.casefold() for number in numbers}
        found = [order for number in wanted for order in self._by_folded.get((channel, number), ())]
        return sorted((order for order in found if self.is_visible(order)), key=lambda order: order.order_id)

    def latest(self, channel: str, number: str) -> Order | None:
        """Return the latest order with this number, visible or not."""
        found = self._by_number.get((channel, number))
        return found[-1] if found else None

    def visible(self, channel: str) -> list[Order]:
        """Return the orders of a protocol that look-ups show, oldest first."""
        return [order for order in self.orders.values() if order.channel == channel and self.is_visible(order)]

    def is_visible(self, order: Order) -> bool:
        """Do look-ups show the order already?"""
        return self.now >= order.created_at + self.switches.visible_after_s

    def select(self, number: str, channel: str | None = None) -> Order:
        """Return the order the control endpoint means, or raise NoSuchOrder."""
        found = [order for order in self.orders.values() if order.number == number and channel in {None, order.channel}]
        live = [order for order in found if order.is_live] or found[-1:]
        if len(live) != 1:
            count = len(live) or "no"
            raise NoSuchOrder(f"{count} orders have the number {number}; name the channel if there are several")
        return live[0]

    # What people do with them

    def pick(self, order: Order) -> None:
        """Put the order into a pick batch."""
        self._require_workable(order)
        order.picked_at = order.picked_at or self.now
        self.touch(order)

    def pack(self, order: Order) -> None:
        """Print the label."""
        self.pick(order)
        order.packed_at = order.packed_at or self.now

    def ship(self, order: Order, parcels: Iterable[Parcel] = (), *, complete: bool = True, force: bool = False) -> None:
        """Send packages; without any, one with all that is left. `force` ships even a cancelled order."""
        if force:
            order.cancelled_at = order.cancel_due_at = order.held_at = None
        elif not order.is_live or order.held_at is not None:
            raise Refused("on_hold" if order.is_live else "already_cancelled")
        chosen = list(parcels) or ([Parcel()] if not order.packages else [])
        order.packages += [self._package(order, parcel) for parcel in chosen]
        now = self.now
        order.picked_at, order.packed_at = order.picked_at or now, order.packed_at or now
        if complete:
            order.shipped_at = order.shipped_at or now
            self._open.pop(order.order_id, None)
        self.touch(order)
        self.report(Happening("shipped", order, is_complete=order.shipped_at is not None))

    def cancel(self, order: Order) -> None:
        """Cancel at the shop's wish, or raise Refused."""
        if order.cancelled_at is not None:
            raise Refused("already_cancelled")
        reason = CANCEL_REFUSALS[self.switches.cancel_until].get(order.stage)
        if reason is None and order.held_at is not None:
            reason = "on_hold"
        if reason is None and self.switches.cancels == "refuse":
            reason = "refused_by_operator"
        if reason:
            raise Refused(reason)
        order.cancel_due_at = order.cancel_due_at or self.now + self.switches.cancel_takes_s
        self._cancelling[order.order_id] = order
        self.touch(order)
        self.advance_order(order)

    def cancel_by_operator(self, order: Order) -> None:
        """Cancel at the warehouse's own wish, at any stage before the last package."""
        if order.stage in {"shipped", "cancelled"}:
            raise Refused(f"already_{order.stage}")
        self._set_cancelled(order)

    def hold(self, order: Order, reason: str) -> None:
        """Put the order aside with a reason."""
        self._require_workable(order)
        order.held_at, order.hold_reason = self.now, reason
        self.touch(order)
        self.report(Happening("rejected", order, detail=reason))

    def release(self, order: Order) -> None:
        """End the hold."""
        order.held_at = order.hold_reason = None
        self.touch(order)

    def touch(self, order: Order) -> None:
        """Note a change: the ETag changes with it."""
        order.revision += 1
        order.updated_at = self.now

    # The passing of time

    def advance(self) -> None:
        """Do what is due by now: cancels that take a while, and shipping by itself."""
        for order in [order for order in self._cancelling.values() if order.is_live]:
            self.advance_order(order)
        if self.switches.auto_ship_s is None:
            return
        # The open orders stand in the order in which they came: after the first that is too young, all are.
        oldest = self.now - self.switches.auto_ship_s / 3
        for order in list(self._open.values()):
            if order.created_at > oldest:
                return
            self.advance_order(order)

    def advance_order(self, order: Order) -> None:
        """Do what is due for one order."""
        now = self.now
        if order.cancel_due_at is not None and order.is_live and now >= order.cancel_due_at:
            self._cancelling.pop(order.order_id, None)
            if order.stage in {"shipped", "partial"}:
                order.cancel_due_at = None
            else:
                self._set_cancelled(order)
        span = self.switches.auto_ship_s
        if span is None or order.held_at is not None or order.stage in {"shipped", "cancelled", "partial"}:
            return
        age = now - order.created_at
        if age >= span:
            self.ship(order)
        elif age >= span * 2 / 3 and order.packed_at is None:
            self.pack(order)
        elif age >= span / 3 and order.picked_at is None:
            self.pick(order)

    # Counts

    def count(self) -> dict[str, Any]:
        """Return counts by stage and protocol, and the boxes that went out twice."""
        stages, channels = defaultdict[str, int](int), defaultdict[str, int](int)
        for order in self.orders.values():
            stages[order.stage] += 1
            channels[order.channel] += 1
        shipped = [sum(order.stage == "shipped" for order in orders) for orders in self._by_shipment.values()]
        return {
            "orders": len(self.orders),
            "stages": dict(stages),
            "channels": dict(channels),
            "boxes_twice": len(self.twice),
            "twice": [list(pair) for pair in self.twice],
            "shipped_twice": sum(count > 1 for count in shipped),
        }

    def _set_cancelled(self, order: Order) -> None:
        order.cancelled_at, order.cancel_due_at = self.now, None
        self._open.pop(order.order_id, None)
        self.touch(order)
        self.report(Happening("cancelled", order))

    def _require_workable(self, order: Order) -> None:
        if order.stage in {"shipped", "cancelled"}:
            raise Refused(f"already_{order.stage}")
        if order.held_at is not None:
            raise Refused("on_hold")

    def _package(self, order: Order, parcel: Parcel) -> Package:
        package_id = self.new_id()
        tracking = f"TEST{package_id:016d}" if parcel.tracking is None else parcel.tracking
        return Package(
            package_id,
            tracking,
            parcel.carrier or "USPS",
            parcel.method or "Priority",
            parcel.shipped_at or self.now,
            self.now,
            list(parcel.lines) if parcel.lines is not None else order.unshipped_lines(),
            parcel.url or (f"https://track.example.com/{tracking}" if tracking else None),
            f"RETURN{package_id:014d}",
        )
