"""When the list was last looked at by a sweep, and whose turn it is to look while no sweep does."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.sql.upsert import insert_into

SWEEP_NAME, FALLBACK_NAME = "attention", "attention_instead"


def get_last_sweep(db: Connection) -> int | None:
    """When a sweep last looked, in µs; None if none ever has."""
    return db.execute(select(Heartbeat.arrived_at).where(Heartbeat.name == SWEEP_NAME)).scalar()


def record_sweep(db: Connection, now: int) -> None:
    """A sweep looks now."""
    made = insert_into(db, Heartbeat).values(name=SWEEP_NAME, sent_at=now, arrived_at=now)
    db.execute(made.on_conflict_do_update(index_elements=["name"], set_={"sent_at": now, "arrived_at": now}))


def claim_fallback_sweep(db: Connection, now: int, interval_us: int) -> bool:
    """Whether it is the caller's turn to look instead of a sweep; only one of several web processes gets it."""
    made = insert_into(db, Heartbeat).values(name=FALLBACK_NAME, sent_at=0, arrived_at=0)
    db.execute(made.on_conflict_do_nothing())
    mine = Heartbeat.name == FALLBACK_NAME, Heartbeat.arrived_at <= now - interval_us
    return db.execute(update(Heartbeat).where(*mine).values(sent_at=now, arrived_at=now)).rowcount == 1
