"""Counts what a run found, for Prometheus."""

from __future__ import annotations

from pipeline import metrics
from pipeline.ledger.shown import COUNTED, MISSED
from pipeline.reconciliation.passing import Passed


def count_run(passed: Passed) -> None:
    """What the API showed for the first time, and of that what no hook had told."""
    for (_, state), times in passed.counts.items():
        if state in COUNTED:
            metrics.SHOWN.inc(times)
        if state == MISSED:
            metrics.MISSED.inc(times)
