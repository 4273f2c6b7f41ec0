"""Corrects the due times in the ledger after a clock was set back, so that nothing waits longer than planned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.ledger.schema.accounts import FailedLogIn, Mail, User
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Lane
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, FulfilmentWork, Warehouse
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.schema.monitoring import Canary, Notice
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.schema.removals import StoreRemoval
from pipeline.ledger.schema.store_apis import StoreAPI

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_TOLERANCE_US = 60_000_000

# Every column that holds a due time, and the longest wait that is ever written into it.
WAIT_COLUMNS: tuple[tuple[InstrumentedAttribute[Any], int], ...] = (
    (Lane.next_attempt_at, _DAY_US),
    (Mail.next_attempt_at, _HOUR_US),
    (Notice.next_attempt_at, _HOUR_US),
    (Backfill.next_step_at, _DAY_US),
    (Lookup.next_attempt_at, _DAY_US),
    (StoreAPI.audit_at, _DAY_US),
    (Reconciliation.next_at, 7 * _DAY_US),
    (FulfilmentOrder.next_attempt_at, 400 * _DAY_US),
    (FulfilmentWork.next_turn_at, _DAY_US),
    (FulfilmentOrder.acknowledge_at, _DAY_US),
    (FulfilmentOrder.update_at, _DAY_US),
    (Warehouse.wait_until, _DAY_US),
    (StoreRemoval.next_at, _DAY_US),
    (User.locked_until, _DAY_US),
    (FailedLogIn.locked_until, _DAY_US),
    (Canary.wanted_at, 0),
)


def shift_waits(conn: Connection, set_back_us: int, now: int) -> None:
    """Move future due times by the `set_back_us` that the clock was set back."""
    for column, _ in WAIT_COLUMNS:
        _update_later_than(conn, column, column - set_back_us, now)


def end_overlong_waits(conn: Connection, now: int) -> int:
    """Make rows due now that would wait longer than is ever written; returns how many there were."""
    return sum(
        _update_later_than(conn, column, now, now + max_wait_us + _TOLERANCE_US) for column, max_wait_us in WAIT_COLUMNS
    )


def has_overlong_waits(conn: Connection, now: int) -> bool:
    """Whether `end_overlong_waits` would change a row. Takes no write lock."""
    return any(
        conn.execute(select(column).where(column > now + max_wait_us + _TOLERANCE_US).limit(1)).first() is not None
        for column, max_wait_us in WAIT_COLUMNS
    )


def _update_later_than(conn: Connection, column: InstrumentedAttribute[Any], value: Any, after: int) -> int:
    statement = update(column.class_).where(column > after).values({column.key: value})
    return conn.execute(statement.execution_options(synchronize_session=False)).rowcount
