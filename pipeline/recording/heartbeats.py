"""Takes our own heartbeats out of a batch and notes that they arrived: they are no events, and no store sent them.

What a heartbeat went through is what hooks go through, up to this transaction; so if none arrives, hooks do not either.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.core.hooks import HEARTBEAT, FailedHook, ValidHook
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.sql.upsert import insert_into

CHAIN_HEARTBEAT = "chain"


def extract_heartbeats(
    conn: Database, hooks: Sequence[ValidHook], failed: Sequence[FailedHook], now: int
) -> tuple[list[ValidHook], list[FailedHook]]:
    """The batch without heartbeats. One that failed is dropped: that it does not arrive says it all."""
    arrived = [hook["received_at"] for hook in hooks if hook["source"] == HEARTBEAT]
    if arrived:
        _save_arrival(conn, max(arrived), now)
    return (
        [hook for hook in hooks if hook["source"] != HEARTBEAT],
        [hook for hook in failed if hook["source"] != HEARTBEAT],
    )


def _save_arrival(conn: Database, sent_at: int, now: int) -> None:
    first = insert_into(conn, Heartbeat).values(name=CHAIN_HEARTBEAT, sent_at=sent_at, arrived_at=now)
    again = {"sent_at": sent_at, "arrived_at": now}
    conn.execute(first.on_conflict_do_update(index_elements=["name"], set_=again))
