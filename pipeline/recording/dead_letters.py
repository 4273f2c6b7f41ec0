"""Keeps what could not become an event: its raw bytes, the reason, and how often it died."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import select, update

from pipeline.core.hooks import FailedHook
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk_upsert import upsert
from pipeline.ledger.sql.tables import chunks, get_table
from pipeline.recording.lookups import RecordingStore

REVOKED = "token_revoked"
MAX_KEPT_BYTES = 1_000  # of each
MAX_KEPT_PER_STORE = 100  # of each store
FURTHER_KEY = "further"  # in the detail of the newest: how many more came


def truncate_raw(raw: bytes, query: str | None) -> tuple[dict[str, Any], bytes, str | None]:
    """What is kept of one: its size as a detail, and how its body and query begin."""
    size = len(raw) + len(query or "")
    return {"size": size}, raw[:MAX_KEPT_BYTES], None if query is None else query[:MAX_KEPT_BYTES]


def limit_revoked(conn: Database, rows: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows to write, of all that died (by receipt); those that are too many for their store are counted."""
    revoked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kept: list[dict[str, Any]] = []
    for row in rows.values():
        (revoked[row["store"]] if row["reason"] == REVOKED else kept).append(row)
    for store, came in revoked.items():
        kept += _limit_store(conn, store, came)
    return kept


def _limit_store(conn: Database, store: str, came: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dead = get_table(core.DeadHook)
    mine = (dead.c.store == store, dead.c.reason == REVOKED)
    there = conn.execute(select(dead.c.id, dead.c.receipt, dead.c.detail).where(*mine).order_by(dead.c.id)).all()
    known = {row.receipt for row in there}
    again = [row for row in came if row["receipt"] in known]
    fresh = [row for row in came if row["receipt"] not in known]
    room = max(0, MAX_KEPT_PER_STORE - len(there))
    further = len(fresh) - room
    if further > 0 and there:
        detail = {**there[-1].detail, FURTHER_KEY: there[-1].detail.get(FURTHER_KEY, 0) + further}
        conn.execute(update(dead).where(dead.c.id == there[-1].id).values(detail=detail))
    elif further > 0:
        fresh[room - 1]["detail"] |= {FURTHER_KEY: further}
    return [*again, *fresh[:room]]


RawBody = tuple[bytes, str | None]  # the body, and the query string of a GET hook


def store_dead_letters(
    conn: Database,
    failed: Iterable[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    stores: Mapping[str, RecordingStore],
    now: int,
) -> int:
    """Write dead hooks; a receipt that died before is counted up. Returns how many died."""
    died = {
        one["receipt"]: _build_row(one, raw_bodies.get(one["entry_id"], (b"", None)), stores, now) for one in failed
    }
    rows = limit_revoked(conn, died)
    upsert(
        conn,
        get_table(core.DeadHook),
        rows,
        update_columns=("stage", "reason", "detail", "died_at", "replayed_at"),
        conflict_columns=("receipt",),
        increment_column="times",
    )
    return len(died)


def mark_replayed(conn: Database, receipts: Iterable[str], now: int) -> None:
    """Mark the dead hooks of these receipts as replayed: they are events now."""
    dead = get_table(core.DeadHook)
    for part in chunks(receipts):
        conn.execute(update(dead).where(dead.c.receipt.in_(part)).values(replayed_at=now))


def _build_row(hook: FailedHook, raw: RawBody, stores: Mapping[str, RecordingStore], now: int) -> dict[str, object]:
    store = stores.get(hook["store"])
    return {
        "store_id": store.id if store else None,
        "store": hook["store"],
        "version": hook["version"],
        "event": hook["event"],
        "receipt": hook["receipt"],
        "stage": hook["stage"],
        "reason": hook["reason"],
        **_raw_columns(hook, *raw),
        "times": 1,
        "received_at": hook["received_at"],
        "died_at": now,
        "replayed_at": None,
    }


def _raw_columns(hook: FailedHook, raw: bytes, query: str | None) -> dict[str, object]:
    detail = hook["detail"]
    if hook["reason"] == REVOKED:
        detail, raw, query = truncate_raw(raw, query)
    return {"detail": detail, "raw": zlib.compress(raw, 1), "query": query}
