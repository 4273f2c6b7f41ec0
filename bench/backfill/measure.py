"""A run from beginning to end, and its evaluation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.backfill.evaluate import evaluate
from bench.backfill.scenario import Scenario, run_scenario
from bench.processes import Folder

FULL = Scenario(customers=20_000, rate=2.0, retry_after=3, kills=10, refusals=0, samples=40)
QUICK = Scenario(customers=1_000, rate=4.0, retry_after=3, kills=2, refusals=1, samples=8)


def measure(script: Scenario) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="cratewire-backfill-") as home:
        return evaluate(script, run_scenario(Folder(Path(home)), script))
