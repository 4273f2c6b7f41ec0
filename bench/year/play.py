"""Lives a year, and says what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Engine

from bench.year.acts import Acts
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
    calls: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    for_people: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    happened: str = field(default="", repr=False)

    @property
    def holds(self) -> bool:
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        """The outcome as one JSON object."""
        return {name: value for name, value in asdict(self).items() if name != "happened"} | {"holds": self.holds}

    def explain(self) -> str:
        """What went wrong, with what happened to a few boxes."""
        return "\n".join([*self.wrong, self.happened])


def play(engine: Engine, adapter: str, steps: Sequence[Step], seed: int = 1, **settings: str) -> Outcome:
    """Do these steps one after another, end all trouble, judge; then have people decide what waits, and judge again.

    `engine`: of an empty ledger. `settings`: of the fulfilment, as their form has them.
    """
    with open_year(engine, adapter, seed, **settings) as year:
        truth = Truth(year)
        acts = Acts(year, truth)
        outcome = Outcome(adapter, acts=acts.done)
        for step in steps:
            acts.do(step)
        outcome.days = (year.now - START) / DAY
        acts.calm()
        outcome.wrong = truth.judge()
        outcome.for_people = truth.count_for_people()
        if not outcome.wrong:
            acts.clear()
            outcome.wrong = [f"after people have decided: {text}" for text in truth.judge()]
        _count(year, outcome)
        boxes = sorted(set(_BOX.findall("\n".join(outcome.wrong))))[:MAX_DESCRIBED]
        outcome.happened = "\n".join(f"box {number}\n{truth.describe(int(number))}" for number in boxes)
    return outcome


def _count(year: Year, outcome: Outcome) -> None:
    boxes = year.store.state.rows("shipments")
    outcome.boxes = len(list(boxes))
    outcome.orders = len(year.floor.floor.orders)
    outcome.shipped = sum(box["status"] == "shipped" for box in boxes)
    outcome.emails = len(year.store.state.outbox)
    outcome.kills, outcome.calls = year.kills, year.wire.calls
