"""Batches in a year: forecasts before each end, the freeze at the end, and what became of the frozen boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.year.truth import Truth
from bench.year.watch import Watch
from bench.year.world import DAY
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.fulfilment.batches import FrozenBatch, compare_frozen, forecast_batch, freeze_batch
from pipeline.fulfilment.rules.forecast import Range
from pipeline.ledger.engine import reading
from sandbox.store import dates
from sandbox.store.state import Row

LEADS_DAYS = (14, 7, 3, 1)  # before its end, at which a batch is forecast
GIVE_UP_S = 40 * DAY  # after the end of a batch with no box that goes
COMPARED_S = 60 * DAY  # so long after its end a frozen batch is compared


@dataclass
class Batches:
    """Those who ask for forecasts, and freeze. `right`: days before the end -> how many forecasts were right."""

    truth: Truth
    watch: Watch
    right: Counter[int] = field(default_factory=Counter)
    missed: Counter[int] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    frozen: dict[int, int] = field(default_factory=dict)  # batch -> its boxes
    wrong: list[str] = field(default_factory=list)
    _said: dict[int, dict[int, Range]] = field(default_factory=dict)
    _ended: set[int] = field(default_factory=set)

    def tend(self) -> None:
        """Forecast the batches that end soon, and freeze those that have ended."""
        now = self.truth.year.now
        for batch in self.truth.year.store.state.rows("shipment_batches"):
            left = dates.seconds(batch["end"]) - now
            if left > 0:
                self._forecast(batch["id"], left)
            elif batch["id"] not in self._ended:
                self._freeze(batch, -left)

    def compare(self) -> list[str]:
        """What is said of frozen batches, and is not so."""
        now, found = self.truth.year.now, []
        for batch in self.truth.year.store.state.rows("shipment_batches"):
            if batch["id"] in self.frozen and now - dates.seconds(batch["end"]) < COMPARED_S:
                with reading(self.truth.year.engine) as conn:
                    waves = compare_frozen(conn, self.truth.year.store_id, batch["id"])
                found += [f"batch {batch['id']}: {text}" for text in self._compare(batch, waves)]
        return found

    def _forecast(self, batch_id: int, left: float) -> None:
        """Once for each of the leads, as soon as no more time is left."""
        said = self._said.setdefault(batch_id, {})
        reached = [days for days in LEADS_DAYS if left <= days * DAY]
        if not reached or min(reached) in said:
            return
        try:
            year = self.truth.year
            said[min(reached)] = forecast_batch(year.context, year.store_id, batch_id).expected.total
        except Misconfigured:
            return  # no box of it was found yet

    def _freeze(self, batch: Row, late_s: float) -> None:
        year, number = self.truth.year, batch["id"]
        made: list[FrozenBatch] = []
        try:
            year.survive(lambda: made.extend(freeze_batch(year.context, year.store_id, number, sleep=year.skip)))
        except Misconfigured:
            if late_s > GIVE_UP_S:
                self._ended.add(number)
            return
        except CratewireError:
            return  # the store is away: later
        if made:
            self._ended.add(number)
            self.truth.frozen.add(number)
            self.frozen[number] = sum(one.row.boxes for one in made)
            self._judge(number, self.frozen[number])
            self.wrong += [f"batch {number}: {text}" for text in self._compare(batch, made)]

    def _judge(self, number: int, boxes: int) -> None:
        for days, expected in self._said.get(number, {}).items():
            (self.right if expected.has(boxes) else self.missed)[days] += 1
            if not expected.has(boxes):
                said = f"{expected.low} to {expected.high} boxes {days} days before its end"
                self.misses.append(f"batch {number} had {boxes} boxes, and was to have {said}")

    def _compare(self, batch: Row, waves: list[FrozenBatch]) -> Iterator[str]:
        """The boxes that the store has of the batch, with what the manifest and the changes after it say."""
        entries = {entry.shipment_id: entry.order_number for one in waves for entry in one.manifest.entries}
        changes = {change.order_number: change.code for one in waves for change in one.changes}
        for box in self.watch.list_known():
            if box["_batch_id"] != batch["id"]:
                continue
            number = entries.get(box["id"]) or f"SUB-{box['id']}"
            code = changes.get(number, "")
            is_gone = box["status"] == "cancelled"
            is_marked = box["id"] in self.truth.by_hand and number not in self.truth.sent
            wanted = "cancelled" if is_gone else "left_out"
            if box["id"] in entries and (is_gone or is_marked) != (code == wanted):
                yield f"box {box['id']} ({box['status']}): is said to be {code or 'as it was'}"
            if box["id"] not in entries and not is_gone and code != "latecomer" and self._goes(box):
                yield f"box {box['id']} ({box['status']}): is not in the manifest, and {code or 'no latecomer'}"

    def _goes(self, box: Row) -> bool:
        """Whether nothing keeps the box."""
        truth = self.truth
        subscription = truth.year.store.state.find("subscriptions", box["_subscription_id"])
        is_active = subscription is None or subscription["status"] == "active"
        return not box["is_test"] and truth.is_paid(box) and is_active and box["status"] == "unshipped"
