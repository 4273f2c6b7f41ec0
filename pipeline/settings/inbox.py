"""Into how many partitions a new inbox is divided."""

from __future__ import annotations

from functools import partial

from environs import validate

from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.settings.variable import declare

_workers = partial(declare, "Workers")

PARTITIONS: int = _workers(
    "CRATEWIRE_PARTITIONS",
    "How many partitions a new inbox begins with: so many processor cores can record hooks at the same time.",
    unset="`4` with PostgreSQL, `1` with SQLite",
    detail="`cratewire partitions` changes the number of an inbox that has one already.",
    example="4",
    check=validate.Range(1, MAX_PARTITIONS),
)
