"""One look at everything that may need a person, and telling what is new or over."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionContext, Cause
from pipeline.attention.last_sweep import claim_fallback_sweep, get_last_sweep, record_sweep
from pipeline.ledger.engine import reading, writing
from pipeline.monitoring.notifications import NotificationContext, enqueue_notifications

SWEEP_OVERDUE_US = 180_000_000  # without a sweep's look for so long, web looks instead

FALLBACK_INTERVAL_US = 50_000_000  # between two looks in a sweep's place


def sweep(sources: AttentionContext, audience: NotificationContext, causes: Sequence[Cause] = CAUSES) -> int:
    """Look once; how many accounts were told something."""
    with writing(sources.engine) as db:
        record_sweep(db, sources.now)
    sync_alarms(sources, causes)
    with writing(sources.engine) as db:
        return enqueue_notifications(db, audience, sources.now)


def sweep_as_fallback(
    sources: AttentionContext, audience: NotificationContext, causes: Sequence[Cause] = CAUSES
) -> bool:
    """Look and tell in the place of a sweep that nobody sends or takes; whether it was needed and our turn."""
    with reading(sources.engine) as db:
        looked = get_last_sweep(db)
    if looked is None or looked > sources.now - SWEEP_OVERDUE_US:
        return False
    with writing(sources.engine) as db:
        if not claim_fallback_sweep(db, sources.now, FALLBACK_INTERVAL_US):
            return False
    sync_alarms(sources, causes)
    with writing(sources.engine) as db:
        enqueue_notifications(db, audience, sources.now)
    return True
