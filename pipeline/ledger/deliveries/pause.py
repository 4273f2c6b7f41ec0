"""Stops and restarts a whole connection. Its deliveries stay where they are."""

from __future__ import annotations

from sqlalchemy import Connection, update

from pipeline.ledger.schema.core import Lane
from pipeline.ledger.schema.core import StoreConnection as Link


def pause_connection(conn: Connection, connection_id: int, reason: str, now: int) -> None:
    """Nothing more is claimed until somebody resumes it; `reason` is shown to them."""
    paused = {"status": "paused", "status_reason": reason, "status_at": now}
    conn.execute(update(Link).where(Link.id == connection_id).values(paused))


def resume_connection(conn: Connection, connection_id: int, now: int) -> None:
    """Go on at once: the lanes' waiting belonged to what was wrong before."""
    rested = {"next_attempt_at": 0, "attempts": 0, "reason": None, "failing_since": None}
    conn.execute(update(Lane).where(Lane.connection_id == connection_id).values(rested))
    active = {"status": "active", "status_reason": None, "status_at": now}
    conn.execute(update(Link).where(Link.id == connection_id, Link.status != "active").values(active))
