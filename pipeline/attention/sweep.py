"""Checks every cause, keeps the alarms in step, and notifies the people concerned."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.causes import CAUSES
from pipeline.attention.item import Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.sql.tables import insert_into
from pipeline.monitoring.notifications import enqueue_notifications

SWEEP_OVERDUE_US = 180_000_000  # if no sweep has run for so long, a web process takes its place
FALLBACK_INTERVAL_US = 50_000_000  # between two sweeps of web processes
SWEEP_NAME, FALLBACK_NAME = "attention", "attention_instead"  # rows of the table of heartbeats


def sweep(context: Context, causes: Sequence[Cause] = CAUSES) -> int:
    """Check every cause once. Return how many accounts were notified."""
    with writing(context.engine) as conn:
        _record_sweep(conn, context.now())
    sync_alarms(context, causes)
    with writing(context.engine) as conn:
        return enqueue_notifications(conn, context, context.now())


def sweep_as_fallback(context: Context, causes: Sequence[Cause] = CAUSES) -> bool:
    """Sweep from a web process while no worker does. Return whether that was needed, and no other process did it."""
    now = context.now()
    with reading(context.engine) as conn:
        swept_at = _get_last_sweep(conn)
    if swept_at is None or swept_at > now - SWEEP_OVERDUE_US:
        return False
    with writing(context.engine) as conn:
        if not _claim_fallback_sweep(conn, now):
            return False
    sync_alarms(context, causes)
    with writing(context.engine) as conn:
        enqueue_notifications(conn, context, context.now())
    return True


def _get_last_sweep(conn: Connection) -> int | None:
    """When a worker's sweep last ran, in µs; None if none ever has."""
    return conn.execute(select(Heartbeat.arrived_at).where(Heartbeat.name == SWEEP_NAME)).scalar()


def _record_sweep(conn: Connection, now: int) -> None:
    statement = insert_into(conn, Heartbeat).values(name=SWEEP_NAME, sent_at=now, arrived_at=now)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"sent_at": now, "arrived_at": now}))


def _claim_fallback_sweep(conn: Connection, now: int) -> bool:
    """Whether the caller is the one of several web processes that sweeps now."""
    statement = insert_into(conn, Heartbeat).values(name=FALLBACK_NAME, sent_at=0, arrived_at=0)
    conn.execute(statement.on_conflict_do_nothing())
    is_due = Heartbeat.name == FALLBACK_NAME, Heartbeat.arrived_at <= now - FALLBACK_INTERVAL_US
    return conn.execute(update(Heartbeat).where(*is_due).values(sent_at=now, arrived_at=now)).rowcount == 1
