"""Moments to come, in the ledger, after a clock was set back: nothing waits longer than it was to wait."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.account_tables import Mail
from pipeline.ledger.api_tables import StoreAPI
from pipeline.ledger.backfill_tables import Backfill
from pipeline.ledger.reconciliation_tables import Reconciliation
from pipeline.ledger.silence_tables import Canary, Notice
from pipeline.ledger.tables import Lane

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_SLACK_US = 60_000_000

# Every moment until which something waits, and how far ahead it may lie: no wait that is written is longer.
MOMENTS: tuple[tuple[InstrumentedAttribute[int], int], ...] = (
    (Lane.next_attempt_at, _DAY_US),
    (Mail.next_attempt_at, _HOUR_US),
    (Notice.next_attempt_at, _HOUR_US),
    (Backfill.next_step_at, _DAY_US),
    (StoreAPI.audit_at, _DAY_US),
    (Reconciliation.next_at, 7 * _DAY_US),
    (Canary.wanted_at, 0),
)


def bring_nearer(db: Connection, back_us: int, now: int) -> None:
    """The clock shows `back_us` less than before: what lies ahead moves along with it."""
    for moment, _ in MOMENTS:
        _change(db, moment, moment - back_us, now)


def end_impossible_waits(db: Connection, now: int) -> int:
    """What waits longer than anything may is due now. Returns how many rows that were."""
    return sum(_change(db, moment, now, now + longest + _SLACK_US) for moment, longest in MOMENTS)


def waits_impossibly(db: Connection, now: int) -> bool:
    """Whether `end_impossible_waits` would find something: looking needs no lock."""
    return any(
        db.execute(select(moment).where(moment > now + longest + _SLACK_US).limit(1)).first() is not None
        for moment, longest in MOMENTS
    )


def _change(db: Connection, moment: InstrumentedAttribute[int], value: Any, after: int) -> int:
    changed = update(moment.class_).where(moment > after).values({moment.key: value})
    return db.execute(changed.execution_options(synchronize_session=False)).rowcount
