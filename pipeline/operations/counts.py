"""Adds what was counted since the last sweep to the kept counts, and deletes counts that are too old."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.counts.fold import delete_old_counts, fold_changes, has_old_counts, has_waiting_changes
from pipeline.ledger.counts.keys import HOUR_US, HOURS_PER_DAY
from pipeline.ledger.engine import reading, writing

MAX_SWEEP_US = 5_000_000


def sweep(context: Context) -> int:
    """Fold for a few seconds; returns how many rows were deleted. The next sweep goes on from there.

    Nothing is written, and no lock is taken, where there is nothing to do.
    """
    until = context.now() + MAX_SWEEP_US
    now_hour, keep_hours = context.now() // HOUR_US, context.settings.keep_events_days * HOURS_PER_DAY
    with reading(context.engine) as conn:
        has_changes, has_old = has_waiting_changes(conn), has_old_counts(conn, now_hour, keep_hours)
    while has_changes and context.now() < until:
        with writing(context.engine) as conn:
            has_changes = fold_changes(conn)
    if not has_old:
        return 0
    with writing(context.engine) as conn:
        return delete_old_counts(conn, now_hour, keep_hours)
