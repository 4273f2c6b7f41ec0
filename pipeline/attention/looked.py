"""When the list was last looked at by a sweep, and whose turn it is to look while no sweep does."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from pipeline.ledger.silence_tables import Heartbeat
from pipeline.ledger.upsert import insert_into

SWEEP, INSTEAD = "attention", "attention_instead"


def last_look(db: Connection) -> int | None:
    """When a sweep last looked, in µs; None if none ever has."""
    return db.execute(select(Heartbeat.arrived_at).where(Heartbeat.name == SWEEP)).scalar()


def note_look(db: Connection, now: int) -> None:
    """A sweep looks now."""
    made = insert_into(db, Heartbeat).values(name=SWEEP, sent_at=now, arrived_at=now)
    db.execute(made.on_conflict_do_update(index_elements=["name"], set_={"sent_at": now, "arrived_at": now}))


def take_turn(db: Connection, now: int, every_us: int) -> bool:
    """Whether it is the caller's turn to look instead of a sweep; only one of several web processes gets it."""
    made = insert_into(db, Heartbeat).values(name=INSTEAD, sent_at=0, arrived_at=0)
    db.execute(made.on_conflict_do_nothing())
    mine = Heartbeat.name == INSTEAD, Heartbeat.arrived_at <= now - every_us
    return db.execute(update(Heartbeat).where(*mine).values(sent_at=now, arrived_at=now)).rowcount == 1
