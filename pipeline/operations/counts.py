"""Adds what was counted since the last sweep to the kept counts, and deletes counts that are too old."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.counts.fold import HOURS_PER_DAY, delete_old_counts, fold_changes
from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.engine import writing

MAX_SWEEP_US = 5_000_000


def sweep(context: Context) -> int:
    """Fold for a few seconds; returns how many rows were deleted. The next sweep goes on from there."""
    until = context.now() + MAX_SWEEP_US
    has_more = True
    while has_more and context.now() < until:
        with writing(context.engine) as conn:
            has_more = fold_changes(conn)
    with writing(context.engine) as conn:
        keep_hours = context.settings.keep_events_days * HOURS_PER_DAY
        return delete_old_counts(conn, context.now() // HOUR_US, keep_hours)
