"""Bounds what is kept of hooks that came to a revoked address, to which a stranger may send anything, and often.

Of each store's some are kept, with the beginning of their bytes; the others are counted on the newest of those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.ledger import tables
from pipeline.record.known import table_of

REVOKED = "token_revoked"
KEPT_BYTES = 1_000  # of each
MOST_KEPT = 100  # of each store
FURTHER = "further"  # in the detail of the newest: how many more came


def beginning(raw: bytes, query: str | None) -> tuple[dict[str, Any], bytes, str | None]:
    """What is kept of one: its size as a detail, and how its body and query begin."""
    size = len(raw) + len(query or "")
    return {"size": size}, raw[:KEPT_BYTES], None if query is None else query[:KEPT_BYTES]


def within_bounds(db: Database, rows: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows to write, of all that died (by receipt); those that are too many for their store are counted."""
    revoked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kept: list[dict[str, Any]] = []
    for row in rows.values():
        (revoked[row["store"]] if row["reason"] == REVOKED else kept).append(row)
    for store, came in revoked.items():
        kept += _with_room(db, store, came)
    return kept


def _with_room(db: Database, store: str, came: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dead = table_of(tables.DeadHook)
    mine = (dead.c.store == store, dead.c.reason == REVOKED)
    there = db.execute(select(dead.c.id, dead.c.receipt, dead.c.detail).where(*mine).order_by(dead.c.id)).all()
    known = {row.receipt for row in there}
    again = [row for row in came if row["receipt"] in known]
    fresh = [row for row in came if row["receipt"] not in known]
    room = max(0, MOST_KEPT - len(there))
    further = len(fresh) - room
    if further > 0 and there:
        detail = {**there[-1].detail, FURTHER: there[-1].detail.get(FURTHER, 0) + further}
        db.execute(update(dead).where(dead.c.id == there[-1].id).values(detail=detail))
    elif further > 0:
        fresh[room - 1]["detail"] |= {FURTHER: further}
    return [*again, *fresh[:room]]
