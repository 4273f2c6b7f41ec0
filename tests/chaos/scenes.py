"""Scenes without an installation, for the checks that only look at what was told."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from bench.chaos.count import Row
from bench.chaos.load import Told
from bench.chaos.scene import Scene


def scene(*told: Told, here: Any = None) -> Scene:
    load: Any = SimpleNamespace(told=list(told))
    row = Row("fault", "sqlite")
    return Scene(here or SimpleNamespace(), load, Random(1), short=True, row=row, rate=0, people=1, first_who=0)
