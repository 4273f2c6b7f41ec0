"""Moments to come, in the ledger, after a clock was set back: nothing waits longer than it was to wait."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.schema.accounts import Mail
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Lane
from pipeline.ledger.schema.monitoring import Canary, Notice
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.schema.store_apis import StoreAPI

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_SLACK_US = 60_000_000

# Every moment until which something waits, and how far ahead it may lie: no wait that is written is longer.
WAIT_COLUMNS: tuple[tuple[InstrumentedAttribute[int], int], ...] = (
    (Lane.next_attempt_at, _DAY_US),
    (Mail.next_attempt_at, _HOUR_US),
    (Notice.next_attempt_at, _HOUR_US),
    (Backfill.next_step_at, _DAY_US),
    (StoreAPI.audit_at, _DAY_US),
    (Reconciliation.next_at, 7 * _DAY_US),
    (Canary.wanted_at, 0),
)


def shift_waits(conn: Connection, set_back_us: int, now: int) -> None:
    """The clock shows `back_us` less than before: what lies ahead moves along with it."""
    for moment, _ in WAIT_COLUMNS:
        _update_later_than(conn, moment, moment - set_back_us, now)


def end_overlong_waits(conn: Connection, now: int) -> int:
    """What waits longer than anything may is due now. Returns how many rows that were."""
    return sum(_update_later_than(conn, moment, now, now + longest + _SLACK_US) for moment, longest in WAIT_COLUMNS)


def has_overlong_waits(conn: Connection, now: int) -> bool:
    """Whether `end_impossible_waits` would find something: looking needs no lock."""
    return any(
        conn.execute(select(moment).where(moment > now + longest + _SLACK_US).limit(1)).first() is not None
        for moment, longest in WAIT_COLUMNS
    )


def _update_later_than(conn: Connection, moment: InstrumentedAttribute[int], value: Any, after: int) -> int:
    changed = update(moment.class_).where(moment > after).values({moment.key: value})
    return conn.execute(changed.execution_options(synchronize_session=False)).rowcount
