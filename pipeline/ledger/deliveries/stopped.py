"""Stops a person's open messages, and empties all of their messages: they were erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from pipeline.ledger.deliveries.lanes import lock_lanes
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.schema.core import Delivery

STOPPED, ERASED = "stopped", "erased"  # status and reason
EMPTY_MESSAGE: dict[str, Any] = {"customer_id": None, "email": None, "at": 0, "data": {}}
FORGET_KIND = "forget"  # the request to forget the person, which is neither stopped nor emptied


def stop_messages(conn: Connection, person_id: int, now: int) -> int:
    """Stop the person's open messages; returns how many. What is being sent now arrives, and is not counted as sent.

    Lanes are locked in the order of their keys, before deliveries, as claiming and settling do.
    """
    mine = Delivery.person_id == person_id, OPEN, Delivery.kind != FORGET_KIND
    found = conn.execute(select(Delivery.connection_id, Delivery.lane).where(*mine).distinct())
    lanes = {(row.connection_id, row.lane) for row in found}
    if not lanes:
        return 0
    lock_lanes(conn, lanes)
    stopped = update(Delivery).where(*mine).values(status=STOPPED, reason=ERASED, done_at=now)
    return len(conn.execute(stopped.returning(Delivery.id)).all())


def empty_messages(conn: Connection, person_id: int) -> int:
    """Empty all messages about the person, with what platforms answered; returns how many were not empty."""
    mine = Delivery.person_id == person_id, Delivery.kind != FORGET_KIND, Delivery.message != EMPTY_MESSAGE
    emptied = update(Delivery).where(*mine).values(message=EMPTY_MESSAGE, packed=None, detail=None, notes=[])
    return len(conn.execute(emptied.returning(Delivery.id)).all())
