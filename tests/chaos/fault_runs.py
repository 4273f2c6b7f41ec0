"""Scenes without an installation, for the checks that only look at what was sent."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from bench.chaos.accounting import Row
from bench.chaos.fault_run import FaultRun
from bench.chaos.load import SentHook


def make_fault_run(*sent: SentHook, here: Any = None) -> FaultRun:
    load: Any = SimpleNamespace(sent=list(sent))
    row = Row("fault", "sqlite")
    return FaultRun(here or SimpleNamespace(), load, Random(1), short=True, row=row, rate=0, people=1, first_person=0)
