"""The amount of work: the full plan, which takes an hour, and the quick plan, which only shows that it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.backfill import measure as backfill
from bench.backfill.scenario import Scenario
from bench.fulfilment import scenario as fulfilment
from bench.measures.paced import Pace
from bench.pages.fill import Size


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts and times of every measure."""

    rounds: int
    seconds: float  # of a round of acknowledgements
    paces: tuple[Pace, ...]
    hooks: dict[str, int]  # system -> hooks of a round
    idle: int
    memory: tuple[int, int]  # hooks in total, and of a portion
    ledgers: tuple[int, ...]  # events
    growth: tuple[int, int]  # rounds, and hooks of a round
    backfill: Scenario
    pages: Mapping[str, Size]  # database -> its ledger
    page_requests: int  # of each address
    readers: tuple[int, int]  # hooks a second beside them, and seconds
    fulfilment: fulfilment.Scenario
    partitions: tuple[int, int]  # rounds, and hooks of a round
    rest_s: float  # watched at rest
    disk: int  # hooks
    small: tuple[int, int, float]  # MB of memory, hooks, and hooks a second
    large_person: tuple[int, int, int]  # rounds, hooks of a round, and orders of a person with many


# The slow peers get fewer hooks: their rate is level after the first few hundred.
FULL = Plan(
    rounds=3,
    seconds=4.0,
    paces=(Pace(100, 30), Pace(500, 60)),
    hooks={
        "ours": 20_000,
        "postgresql": 20_000,
        "everysec": 20_000,
        "textbook": 1_000,
        "one_task": 2_500,
        "node": 20_000,
        "node_with_ledger": 10_000,
    },
    idle=100,
    memory=(200_000, 10_000),
    ledgers=(10_000, 500_000, 1_000_000),
    growth=(9, 1_000),
    backfill=backfill.FULL,
    pages={"sqlite": Size(500, 2_000), "postgresql": Size(500, 2_000)},
    page_requests=5,
    readers=(100, 20),
    fulfilment=fulfilment.FULL,
    partitions=(5, 8_000),
    rest_s=60.0,
    disk=10_000,
    small=(512, 2_000, 60.0),
    large_person=(5, 50, 5_000),
)
QUICK = Plan(
    rounds=1,
    seconds=1.0,
    paces=(Pace(50, 3),),
    hooks={
        "ours": 500,
        "postgresql": 500,
        "everysec": 500,
        "textbook": 100,
        "one_task": 200,
        "node": 500,
        "node_with_ledger": 500,
    },
    idle=5,
    memory=(2_000, 500),
    ledgers=(10_000, 20_000),
    growth=(1, 200),
    backfill=backfill.QUICK,
    pages={"sqlite": Size(5, 100), "postgresql": Size(5, 100)},
    page_requests=1,
    readers=(20, 2),
    fulfilment=fulfilment.QUICK,
    partitions=(1, 400),
    rest_s=5.0,
    disk=500,
    small=(512, 100, 60.0),
    large_person=(1, 10, 100),
)
