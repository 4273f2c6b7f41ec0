"""Weeks of a store as Hypothesis draws them: what is sold, changed, cancelled, shipped, lost, away and killed.

`make year` lives whole years.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from bench.year.plan import EVERYTHING, draw_steps
from bench.year.play import play
from bench.year.world import PUSHED, find_memory
from pipeline.ledger.engine import make_engine

ADAPTERS = ("cartrover", "extensiv_3pl", PUSHED)  # `make year` lives years of the others, too


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(
    max_examples=1,
    derandomize=True,  # `make year` draws others
    phases=[Phase.generate],  # a failure is made smaller by hand: each attempt takes seconds
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)
@given(plan=draw_steps(EVERYTHING, 25, 25))
def test_whatever_happens_each_box_goes_out_once_or_is_in_front_of_a_person(adapter, plan, migrated_sqlite):
    with tempfile.TemporaryDirectory(dir=find_memory()) as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(migrated_sqlite, path)
        engine = make_engine(f"sqlite:///{path}")
        try:
            outcome = play(engine, adapter, plan)
        finally:
            engine.dispose()

    assert outcome.holds, outcome.explain()
