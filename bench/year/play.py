"""Lives a year, and says what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Engine

from bench.year.acts import Acts
from bench.year.batches import LEADS_DAYS
from bench.year.judge import Judge
from bench.year.plan import Step
from bench.year.truth import Truth
from bench.year.world import DAY, START, Year, open_year

MAX_DESCRIBED = 3  # boxes whose events are shown, of those that went wrong
_BOX = re.compile(r"(?:box |SUB-)(\d+)")


@dataclass
class Outcome:
    """What came of a year. `for_people`: boxes that waited for a person when all trouble was over, by reason."""

    adapter: str
    days: float = 0.0
    boxes: int = 0
    orders: int = 0
    shipped: int = 0
    emails: int = 0
    kills: int = 0
    compared: int = 0  # boxes, with the three lists
    listed: int = 0  # of them, those that stood in one
    exceptions: dict[str, int] = field(default_factory=dict)  # that were compared, by state and reason
    frozen: int = 0  # batches
    second_loads: int = 0  # boxes that were in a batch twice by mistake
    stopped: int = 0  # how often a person found an unusual number of boxes stopped
    forecasts: dict[int, tuple[int, int]] = field(default_factory=dict)  # days before the end -> right, and all
    misses: list[str] = field(default_factory=list)  # forecasts that were wrong
    calls: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    for_people: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    happened: str = field(default="", repr=False)

    @property
    def holds(self) -> bool:
        return not self.wrong

    @property
    def forecast(self) -> tuple[int, int]:
        """How many forecasts were right, and how many there were."""
        right, of = zip(*self.forecasts.values(), strict=True)
        return sum(right), sum(of)

    def as_json(self) -> dict[str, Any]:
        """The outcome as one JSON object."""
        return {name: value for name, value in asdict(self).items() if name != "happened"} | {"holds": self.holds}

    def explain(self) -> str:
        """What went wrong, with what happened to a few boxes."""
        return "\n".join([*self.wrong, self.happened])


@dataclass(frozen=True)
class Span:
    """How long it is lived, and how often the lists are compared. `is_healthy`: then they are empty."""

    days: float | None = None  # None: until the last of the steps
    compare_every_days: float = 6.0
    is_healthy: bool = False


def play(
    engine: Engine, adapter: str, steps: Sequence[Step], span: Span = Span(), seed: int = 1, **settings: str
) -> Outcome:
    """Do these steps one after another, end all trouble, judge; then have people decide what waits, and judge again.

    `engine`: of an empty ledger. `settings`: of the fulfilment, as their form has them.
    """
    with open_year(engine, adapter, seed, **settings) as year:
        truth = Truth(year)
        judge = Judge(truth)
        acts = Acts(year, truth)
        outcome = Outcome(adapter, acts=acts.done)
        outcome.wrong = _live(acts, steps, span)
        outcome.days = (year.now - START) / DAY
        acts.calm()
        outcome.wrong += [*acts.batches.wrong, *judge.judge()]
        outcome.for_people = truth.count_for_people()
        if not outcome.wrong:
            acts.clear()
            outcome.wrong = [f"after people have decided: {text}" for text in judge.judge()]
        _count(year, outcome)
        _count_comparisons(acts, outcome)
        boxes = sorted(set(_BOX.findall("\n".join(outcome.wrong))))[:MAX_DESCRIBED]
        outcome.happened = "\n".join(f"box {number}\n{truth.describe(int(number))}" for number in boxes)
    return outcome


def _live(acts: Acts, steps: Sequence[Step], span: Span) -> list[str]:
    """Do the steps, and compare now and then; returns what was wrong."""
    found: list[str] = []
    year, compare_at = acts.year, START + span.compare_every_days * DAY
    end = START + span.days * DAY if span.days is not None else None
    for step in steps:
        if end is not None and year.now >= end:
            break
        acts.do(step)
        if year.now >= compare_at:
            day = f"day {(year.now - START) / DAY:.0f}"
            found += [f"{day}: {text}" for text in acts.compare(is_healthy=span.is_healthy)]
            compare_at += span.compare_every_days * DAY
    if end is not None:
        acts.wait(end - year.now)
    return found


def _count(year: Year, outcome: Outcome) -> None:
    boxes = year.store.state.rows("shipments")
    outcome.boxes = len(list(boxes))
    outcome.orders = len(year.floor.floor.orders)
    outcome.shipped = sum(box["status"] == "shipped" for box in boxes)
    outcome.emails = len(year.store.state.outbox)
    outcome.kills, outcome.calls = year.kills, year.wire.calls


def _count_comparisons(acts: Acts, outcome: Outcome) -> None:
    outcome.compared, outcome.listed = acts.lists.compared, acts.lists.listed
    outcome.exceptions = dict(acts.exceptions.compared)
    outcome.second_loads, outcome.stopped = len(acts.truth.second_load), acts.truth.stopped
    right, missed = acts.batches.right, acts.batches.missed
    outcome.frozen, outcome.misses = len(acts.batches.frozen), acts.batches.misses
    outcome.forecasts = {days: (right[days], right[days] + missed[days]) for days in LEADS_DAYS}
