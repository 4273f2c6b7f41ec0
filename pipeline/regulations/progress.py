"""Where regulations stand at the platforms."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from pipeline.ledger.deliveries.forgetting import list_forget_progress


def describe_destinations(conn: Connection, regulation_ids: Collection[int]) -> list[dict[str, Any]]:
    """One document for each regulation and connection: open, done, failed or unsupported, and why. Times are µs."""
    return [
        {
            "regulation": one.regulation_id,
            "connection": one.connection_id,
            "platform": one.platform,
            "mode": one.mode,
            "state": one.state,
            "reason": one.reason,
            "asked_at": one.asked_at,
            "done_at": one.done_at,
        }
        for one in list_forget_progress(conn, regulation_ids)
    ]
