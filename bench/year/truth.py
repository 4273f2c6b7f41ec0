"""What is true in a year, as the store and the warehouse know it; and whether each order is right when it arrives."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bench.warehouse_configs import CHANNELS
from bench.year.world import DAY, Year
from pipeline.core.fulfilment import State
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow, list_orders_checked_before
from pipeline.ledger.fulfilment.packages import list_packages
from sandbox.store import dates
from sandbox.store.shop.boxes import billing_type_of
from sandbox.store.state import Row
from sandbox.warehouse.floor import Happening
from sandbox.warehouse.orders import Order, shipment_of

SIGN_UP_S, RENEWAL_S, AHEAD_S = 2 * 3_600, 48 * 3_600, 7 * DAY
OURS = re.compile(r"^(?:SUB-)?\d+(?:-R\d+)?$")
STREETS = re.compile(r"\d+ YEAR STREET", re.IGNORECASE)
UNITS = re.compile(r"UNIT U\d+", re.IGNORECASE)
FOR_PEOPLE = frozenset(
    {
        State.HELD,
        State.FAILED,
        State.CANCELLED_AT_WAREHOUSE,
        State.CANCEL_REFUSED,
        State.SHIPPED_AFTER_CANCEL,
        State.EXTERNALLY_SHIPPED,
    }
)


def list_boxes(conn: Connection, store_id: int, states: Iterable[State]) -> list[OrderRow]:
    """Every box in these states."""
    return list_orders_checked_before(conn, store_id, frozenset(states), sys.maxsize, sys.maxsize)


@dataclass(frozen=True)
class Sent:
    """A box as it was when the warehouse took it. `target`: its date, in Cratejoy's form."""

    street: str
    target: str
    content: Counter[str]
    is_paid: bool


@dataclass
class Truth:
    """Watches the warehouse while the year goes on, and compares everything at its end."""

    year: Year
    addresses: int = 0
    by_hand: set[int] = field(default_factory=set)  # boxes that the merchant has marked as shipped
    released: set[int] = field(default_factory=set)  # boxes that a person has released
    seen: set[int] = field(default_factory=set)  # boxes of which a person has said that they stay as they are
    held: set[int] = field(default_factory=set)  # orders that were held at the warehouse
    by_operator: set[int] = field(default_factory=set)  # orders that the warehouse has cancelled by itself
    cancelled: set[int] = field(default_factory=set)  # boxes that were cancelled at the store, and may be wanted again
    frozen: set[int] = field(default_factory=set)  # batches
    exported: set[int] = field(default_factory=set)  # frozen batches that a file was asked of
    files: set[int] = field(default_factory=set)  # exports that the packers were given
    references: dict[str, str] = field(default_factory=dict)  # order number -> its reference in the exported file
    second_load: set[int] = field(default_factory=set)  # boxes that are in a batch twice by mistake
    stopped: int = 0  # how often a person found an unusual number of boxes stopped
    outages: list[tuple[str, float]] = field(default_factory=list)  # which side was away, and for how long
    sent: dict[str, Sent] = field(default_factory=dict)  # order number -> what the box was then
    left_for_old: set[int] = field(default_factory=set)  # boxes whose address was changed between sending and leaving
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        report = self.year.floor.floor.report

        def watch(happening: Happening) -> None:
            if happening.kind == "accepted" and OURS.match(happening.order.number):
                self.wrong += [f"{happening.order.number}: {text}" for text in self._judge_accepted(happening.order)]
            if OURS.match(happening.order.number):
                self._note_sent(happening)
            report(happening)

        self.year.floor.floor.report = watch

    @property
    def channel(self) -> str:
        """The warehouse's name of the protocol."""
        return CHANNELS.get(self.year.adapter, self.year.adapter)

    def invent_address(self) -> Row:
        """An address that no other box has."""
        self.addresses += 1
        number = self.addresses
        return {
            "to": f"Recipient N{number}",
            "street": f"{number} Year Street",
            "unit": f"Unit U{number}",
            "city": "Testville",
            "state": "TX",
            "zip_code": f"{75_001 + number % 999}",
            "country": "US",
        }

    def decided(self, row: OrderRow, word: str) -> None:
        """A person has decided about a box."""
        if word == "release":
            self.released.add(row.shipment_id)
        (self.seen.add if word == "ignore" else self.seen.discard)(row.shipment_id)

    # While the year goes on

    def _judge_accepted(self, order: Order) -> Iterator[str]:
        """What is wrong about an order at the moment in which the warehouse takes it."""
        box = self.year.store.state.find("shipments", int(shipment_of(order.number)))
        if box is None:
            yield "there is no such box"
            return
        yield from self._judge_owed(box)
        yield from self._judge_address(box, order)
        yield from self._judge_content(box, order)

    def _note_sent(self, happening: Happening) -> None:
        box = self.year.store.state.find("shipments", int(shipment_of(happening.order.number)))
        if box is None:
            return
        now_as, number = self._describe(box), happening.order.number
        before = self.sent.setdefault(number, now_as)
        if happening.kind == "shipped" and now_as.street != before.street:
            self.left_for_old.add(box["id"])

    def _describe(self, box: Row) -> Sent:
        state = self.year.store.state
        standard = billing_type_of(state, box) == "standard"
        target = state.get("shipment_batches", box["_batch_id"])["end"] if standard else box["adjusted_ordered_at"]
        street = state.get("addresses", box["_address_id"])["street"]
        return Sent(street, target, self.list_content(box), is_paid=self.is_paid(box))

    def find_changes(self, box: Row, order_number: str) -> set[str]:
        """What the store has otherwise than it was sent, as the fulfilment calls it."""
        before, now_as = self.sent.get(order_number), self._describe(box)
        if before is None:
            return set()
        changes = {
            "address_changed": before.street != now_as.street,
            "lines_changed": before.content != now_as.content,
            "date_moved": before.target < now_as.target,
            "unpaid_after_sending": before.is_paid and not now_as.is_paid and bool(now_as.content),
        }
        return {name for name, is_so in changes.items() if is_so}

    def _judge_owed(self, box: Row) -> Iterator[str]:
        state, now = self.year.store.state, self.year.now
        if box["id"] in self.second_load:
            yield "it was sent although its batch was loaded a second time by mistake"
        if box["status"] != "unshipped":
            yield f"it was sent although it is {box['status']}"
        if box["is_test"]:
            yield "it was sent although it is a test"
        lines = [one for one in state.of("fulfillments", "shipment_id", box["id"]) if one["status"] != "cancelled"]
        if not lines:
            yield "it was sent although nothing is in it"
        elif not self.is_paid(box):
            yield "it was sent although it is not paid"
        subscription = state.find("subscriptions", box["_subscription_id"])
        if subscription and subscription["status"] != "active" and box["id"] not in self.released:
            yield f"it was sent although its subscription is {subscription['status']}"
        due = self.find_due(box)
        if now < due and box["id"] not in self.released:
            yield f"it was sent {(due - now) / DAY:.1f} days before its time"

    def is_paid(self, box: Row) -> bool:
        """Whether something is left in the box, and all of it is paid."""
        state = self.year.store.state
        lines = [one for one in state.of("fulfillments", "shipment_id", box["id"]) if one["status"] != "cancelled"]
        orders = [state.get("orders", one["_order_id"]) for one in lines]
        return bool(orders) and all(order["financial_status"] == "paid" for order in orders)

    def find_due(self, box: Row) -> float:
        """From when the box may go, in seconds: its date, and the cooling-off time of its payment."""
        state, kind = self.year.store.state, billing_type_of(self.year.store.state, box)
        if kind == "ecom":
            return 0.0
        if kind == "standard":
            due = float(dates.seconds(state.get("shipment_batches", box["_batch_id"])["end"]))
        else:
            due = float(dates.seconds(box["adjusted_ordered_at"])) - AHEAD_S
        for line in state.of("fulfillments", "shipment_id", box["id"]):
            order = state.get("orders", line["_order_id"])
            cooling = RENEWAL_S if order["is_renewal"] else SIGN_UP_S
            due = max(due, dates.seconds(order["placed_at"]) + cooling)
        return due

    def _judge_address(self, box: Row, order: Order) -> Iterator[str]:
        """Each address of the year has a street and a unit of its own: the parcel's are those of this box, now."""
        wanted = self.year.store.state.get("addresses", box["_address_id"])
        text = json.dumps(order.received)
        streets, units = ({found.upper() for found in kind.findall(text)} for kind in (STREETS, UNITS))
        if streets != {wanted["street"].upper()} or units != {wanted["unit"].upper()}:
            yield f"it went to {sorted(streets)} {sorted(units)} instead of {wanted['street']}, {wanted['unit']}"

    def list_content(self, box: Row) -> Counter[str]:
        """What is in the box, by SKU."""
        state = self.year.store.state
        return Counter(
            state.get("product_instances", line["_instance_id"])["sku"]
            for line in state.of("fulfillments", "shipment_id", box["id"])
            if line["status"] != "cancelled"
        )

    def _judge_content(self, box: Row, order: Order) -> Iterator[str]:
        wanted = self.list_content(box)
        sent: Counter[str] = Counter()
        for line in order.lines:
            sent[line.sku] += line.quantity
        if sent != wanted:
            yield f"it was sent with {dict(sent)} instead of {dict(wanted)}"

    def find_orders(self) -> dict[int, list[Order]]:
        """Box -> what the warehouse has of it, the oldest first."""
        found: dict[int, list[Order]] = {}
        for order in self.year.floor.floor.orders.values():
            if OURS.match(order.number):
                found.setdefault(int(shipment_of(order.number)), []).append(order)
        return found

    def load_rows(self) -> dict[int, list[OrderRow]]:
        """Box -> its rows in the ledger."""
        found: dict[int, list[OrderRow]] = {}
        with reading(self.year.engine) as conn:
            for row in list_boxes(conn, self.year.store_id, State):
                found.setdefault(row.shipment_id, []).append(row)
        return found

    def count_for_people(self) -> dict[str, int]:
        """Boxes that wait for a person, by state and reason."""
        with reading(self.year.engine) as conn:
            rows = list_boxes(conn, self.year.store_id, FOR_PEOPLE)
        return dict(Counter(f"{row.state.value}({row.reason})" for row in rows))

    def describe(self, shipment_id: int) -> str:
        """What happened to a box, for who looks for the fault."""
        rows = self.load_rows().get(shipment_id, [])
        with reading(self.year.engine) as conn:
            events = list_order_events(conn, [row.id for row in rows])
            packages = list_packages(conn, [row.id for row in rows])
        lines = [
            f"  {(event.at / 1e6 - self.year.now) / 3600:9.2f} h {event.kind} {event.from_state}->{event.to_state}"
            f" {event.reason or ''} {event.detail or ''}"
            for event in events
        ]
        return "\n".join([*lines, f"  parcels {[one.tracking_number for one in packages]}"])
