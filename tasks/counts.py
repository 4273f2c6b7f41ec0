"""Adds what was counted to the kept counts, every few seconds."""

from __future__ import annotations

from pipeline.operations import counts
from tasks.app import task
from tasks.process import get_process_context


@task("counts.sweep")
def sweep() -> None:
    """Fold the changes of the counts."""
    counts.sweep(get_process_context())
