"""Counts what a run found, for Prometheus."""

from __future__ import annotations

from pipeline.infra import metrics
from pipeline.ledger.observed_events import COUNTED_STATES, MISSED
from pipeline.reconciliation.run import ReconciliationResult


def count_run(passed: ReconciliationResult) -> None:
    """What the API showed for the first time, and of that what no hook had told."""
    for (_, state), times in passed.counts.items():
        if state in COUNTED_STATES:
            metrics.OBSERVED_EVENTS.inc(times)
        if state == MISSED:
            metrics.MISSED_HOOKS.inc(times)
