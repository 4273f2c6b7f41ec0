"""An order at the warehouse: what was received, what has happened to it, and its packages."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CHANNELS = ("cartrover", "3pl", "generic")
_NUMBER = re.compile(r"^(?:SUB-)?(\d+)(?:-R\d+)?$")


def shipment_of(number: str) -> str:
    """Return the shipment that an order number names; numbers of other shops stand for themselves."""
    match = _NUMBER.match(number)
    return match[1] if match else number


@dataclass(slots=True)
class Line:
    """A line of an order. `external_id` is the sender's own id of it."""

    line_id: int
    sku: str
    quantity: int
    description: str | None = None
    external_id: str | None = None


@dataclass(slots=True)
class Package:
    """A parcel. `tracking` may be empty; `is_acknowledged` means that the shop has confirmed it (CartRover)."""

    package_id: int
    tracking: str
    carrier: str
    method: str
    shipped_at: float
    loaded_at: float
    lines: list[tuple[str, int]]
    url: str | None = None
    return_tracking: str | None = None
    is_acknowledged: bool = False


@dataclass(slots=True)
class Order:
    """A box that the warehouse was asked to send. Times are seconds since the epoch."""

    order_id: int
    channel: str
    number: str
    lines: list[Line]
    received: Mapping[str, Any]
    created_at: float
    updated_at: float
    revision: int = 1
    picked_at: float | None = None
    packed_at: float | None = None
    shipped_at: float | None = None
    cancelled_at: float | None = None
    cancel_due_at: float | None = None
    confirmed_at: float | None = None
    held_at: float | None = None
    hold_reason: str | None = None
    packages: list[Package] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """Return one of open, picked, packed, partial, shipped, cancelled."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.shipped_at is not None:
            return "shipped"
        if self.packages:
            return "partial"
        return "packed" if self.packed_at is not None else "picked" if self.picked_at is not None else "open"

    @property
    def is_live(self) -> bool:
        """Is a box going out for it, or has one gone out?"""
        return self.cancelled_at is None

    def count_ordered(self) -> int:
        """Return the pieces ordered."""
        return sum(line.quantity for line in self.lines)

    def count_shipped(self) -> int:
        """Return the pieces in all packages; it may exceed what was ordered."""
        return sum(quantity for package in self.packages for _, quantity in package.lines)

    def unshipped_lines(self) -> list[tuple[str, int]]:
        """Return SKU and quantity of what no package holds yet."""
        shipped = Counter[str]()
        for package in self.packages:
            for sku, quantity in package.lines:
                shipped[sku] += quantity
        remaining = []
        for line in self.lines:
            taken = min(line.quantity, shipped[line.sku])
            shipped[line.sku] -= taken
            if line.quantity > taken:
                remaining.append((line.sku, line.quantity - taken))
        return remaining

    def as_json(self) -> dict[str, Any]:
        """Return the order as the control endpoint shows it."""
        return {
            "order_id": self.order_id,
            "channel": self.channel,
            "order_number": self.number,
            "shipment": shipment_of(self.number),
            "stage": self.stage,
            "is_confirmed": self.confirmed_at is not None,
            "is_held": self.held_at is not None,
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in self.lines],
            "packages": [
                {
                    "tracking_number": package.tracking,
                    "carrier": package.carrier,
                    "method": package.method,
                    "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in package.lines],
                    "is_acknowledged": package.is_acknowledged,
                }
                for package in self.packages
            ],
            "received": self.received,
        }
