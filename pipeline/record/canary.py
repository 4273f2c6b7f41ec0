"""Takes our own canaries out of a batch and notes that they arrived: they came as hooks do, and are no events.

A canary carries a number that only the ledger and the canary know. A hook by that name with any other number is a
stranger's who has a hook address, and goes the way of every unknown event.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.ledger.silence_tables import Canary
from pipeline.model import CANARY, ValidHook


def take_canaries(db: Database, hooks: Sequence[ValidHook], now: int) -> list[ValidHook]:
    """The batch without canaries."""
    nonces = {nonce for hook in hooks if (nonce := _nonce(hook))}
    if not nonces:
        return list(hooks)
    ours = set(db.execute(select(Canary.nonce).where(Canary.nonce.in_(nonces))).scalars())
    first = update(Canary).where(Canary.nonce.in_(ours), Canary.arrived_at.is_(None))
    db.execute(first.values(arrived_at=now))
    return [hook for hook in hooks if _nonce(hook) not in ours]


def _nonce(hook: ValidHook) -> str | None:
    if hook["event"] != CANARY:
        return None
    nonce = hook["data"].get(CANARY)
    return nonce if isinstance(nonce, str) else None
