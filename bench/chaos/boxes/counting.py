"""Compare the boxes that were owed with what the sandboxes have: the figures that judge a fault while boxes go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.compare.boxes import compare_boxes

SandboxRow = Mapping[str, Any]
NOWHERE = "nowhere"  # the ledger has never seen it
# Where a box may end, by what was done to it.
ENDS: Mapping[str, frozenset[str]] = {
    "owed": frozenset({"confirmed"}),
    "in_time": frozenset({"cancelled", "skipped"}),
    "too_late": frozenset({"shipped_after_cancel"}),
    "at_once": frozenset({"cancelled", "skipped", NOWHERE}),
    "not_owed": frozenset({"held", "skipped"}),
}
# What `compare_boxes` finds and is counted here: once for a box, however many ways it shows.
_COUNTED = frozenset({"unsent", "twice", "unconfirmed", "written_twice", "emails", "live_though_cancelled"})


@dataclass(slots=True)
class Sold:
    """Shipments of one shop by what becomes of them.

    `at_once` were cancelled when they were sold, `in_time` before the warehouse began with them, `too_late` after that.
    `not_owed`: unpaid, or a test.
    """

    owed: list[int] = field(default_factory=list)
    in_time: list[int] = field(default_factory=list)
    too_late: list[int] = field(default_factory=list)
    not_owed: list[int] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)

    @property
    def everything(self) -> list[int]:
        """All of them."""
        return [*self.owed, *self.in_time, *self.too_late, *self.not_owed, *self.at_once]

    def group_of(self, shipment_id: int) -> str:
        """What becomes of this one."""
        return next(name for name in ENDS if shipment_id in getattr(self, name))


@dataclass(slots=True)
class BoxCounts:
    """The figures of one shop or of all. `lost`: owed, and not sent or not confirmed; `twice`: in any of three ways."""

    owed: int = 0
    sent_once: int = 0  # the warehouse has one order of it, and has had no other
    confirmed_once: int = 0  # Cratejoy has the tracking number, which was written once
    mailed_once: int = 0
    cancelled: int = 0  # in time, and the warehouse has no live order
    lost: int = 0
    twice: int = 0  # orders, writings and e-mails beyond the first of a box
    wrong: list[str] = field(default_factory=list)  # anything else, by shipment

    @property
    def fails(self) -> bool:
        """Whether anything is not as it must be."""
        return bool(self.lost or self.twice or self.wrong)

    def add(self, other: BoxCounts) -> None:
        """Another shop's boxes."""
        for name in ("owed", "sent_once", "confirmed_once", "mailed_once", "cancelled", "lost", "twice"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong

    def describe(self) -> str:
        """One line for people."""
        return (
            f"{self.owed} boxes: {self.sent_once} sent once, {self.confirmed_once} confirmed once, {self.mailed_once} "
            f"mailed once, {self.lost} lost, {self.twice} twice; {self.cancelled} others cancelled in time"
        )


def count_boxes(
    sold: Sold, shipments: Iterable[SandboxRow], orders: Iterable[SandboxRow], states: Mapping[int, str]
) -> BoxCounts:
    """Count one shop's boxes. `orders`: of its warehouse, cancelled ones too; `states`: in the ledger, at the end."""
    boxes = {int(row["id"]): row for row in shipments}
    ours = set(map(str, sold.everything))
    mine = [order for order in orders if order["shipment"] in ours or not _is_of_shop(order, boxes)]
    by_box: dict[int, list[SandboxRow]] = {number: [] for number in sold.everything}
    for order in mine:
        if order["shipment"] in ours:
            by_box[int(order["shipment"])].append(order)
    counts = BoxCounts(owed=len(sold.owed))
    for number, found in by_box.items():
        _count_one(counts, sold.group_of(number), boxes[number], found, states.get(number, NOWHERE))
    known = set(map(str, sold.too_late))  # a warehouse that had begun with a box sends it although it is cancelled
    compared = compare_boxes(
        [boxes[number] for number in sold.everything if number not in sold.too_late],
        [order for order in mine if order["shipment"] not in known],
    )
    counts.wrong += [
        f"shipment {one.shipment}: {one.kind} {one.detail}" for one in compared.offences if one.kind not in _COUNTED
    ]
    counts.wrong += _find_shared_tracking(boxes.values())
    return counts


def _is_of_shop(order: SandboxRow, boxes: Mapping[int, SandboxRow]) -> bool:
    """Whether the order is of another box of this shop: one of an earlier fault."""
    return str(order["shipment"]).isdigit() and int(order["shipment"]) in boxes


def _count_one(counts: BoxCounts, group: str, box: SandboxRow, orders: Sequence[SandboxRow], state: str) -> None:
    counts.twice += sum(max(0, number - 1) for number in (len(orders), box["shipped_puts"], box["emails"]))
    live = [order for order in orders if order["stage"] != "cancelled"]
    if group == "owed":
        is_sent, is_confirmed = bool(live), box["status"] == "shipped" and bool(box["tracking_number"])
        counts.lost += not (is_sent and is_confirmed and box["emails"])
        counts.sent_once += is_sent and len(orders) == 1
        counts.confirmed_once += is_confirmed and box["shipped_puts"] == 1
        counts.mailed_once += box["emails"] == 1
    elif box["emails"] or box["shipped_puts"]:
        counts.wrong.append(f"shipment {box['id']}: the customer was mailed, and it is {group}")
    if group in ("in_time", "at_once"):
        counts.cancelled += not live
    if live and group in ("in_time", "at_once", "not_owed"):
        counts.wrong.append(f"shipment {box['id']}: the warehouse sends it, and it is {group}")
    if state not in ENDS[group]:
        counts.wrong.append(f"shipment {box['id']}: it is {group}, and ended as {state}")


def _find_shared_tracking(boxes: Iterable[SandboxRow]) -> list[str]:
    """A tracking number that more than one box has."""
    shown = Counter(box["tracking_number"] for box in boxes if box["tracking_number"])
    return [f"{times} boxes have the same tracking number" for times in shown.values() if times > 1]
