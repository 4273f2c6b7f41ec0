"""Takes our own heartbeats out of a batch and notes that they arrived: they are no events, and no store sent them.

What a heartbeat went through is what hooks go through, up to this transaction; so if none arrives, hooks do not either.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Database

from pipeline.ledger.silence_tables import Heartbeat
from pipeline.ledger.upsert import insert_into
from pipeline.model import HEARTBEAT, FailedHook, ValidHook

CHAIN = "chain"


def take_heartbeats(
    db: Database, hooks: Sequence[ValidHook], failed: Sequence[FailedHook], now: int
) -> tuple[list[ValidHook], list[FailedHook]]:
    """The batch without heartbeats. One that failed is dropped: that it does not arrive says it all."""
    arrived = [hook["received_at"] for hook in hooks if hook["source"] == HEARTBEAT]
    if arrived:
        _note(db, max(arrived), now)
    return (
        [hook for hook in hooks if hook["source"] != HEARTBEAT],
        [hook for hook in failed if hook["source"] != HEARTBEAT],
    )


def _note(db: Database, sent_at: int, now: int) -> None:
    first = insert_into(db, Heartbeat).values(name=CHAIN, sent_at=sent_at, arrived_at=now)
    again = {"sent_at": sent_at, "arrived_at": now}
    db.execute(first.on_conflict_do_update(index_elements=["name"], set_=again))
