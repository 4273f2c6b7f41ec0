"""Keeps what could not become an event: its raw bytes, the reason, and how often it died."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection as Database
from sqlalchemy import update

from pipeline.ledger import tables
from pipeline.model import FailedHook
from pipeline.record.known import StoreRow, chunks, table_of
from pipeline.record.revoked import REVOKED, beginning, within_bounds
from pipeline.record.upsert import upsert

Raw = tuple[bytes, str | None]  # the body, and the query string of a GET hook


def bury(
    db: Database,
    failed: Iterable[FailedHook],
    raws: Mapping[str, Raw],
    stores: Mapping[str, StoreRow],
    now: int,
) -> int:
    """Write dead hooks; a receipt that died before is counted up. Returns how many died."""
    died = {one["receipt"]: _row(one, raws.get(one["entry_id"], (b"", None)), stores, now) for one in failed}
    rows = within_bounds(db, died)
    upsert(
        db,
        table_of(tables.DeadHook),
        rows,
        update=("stage", "reason", "detail", "died_at", "replayed_at"),
        on=("receipt",),
        plus_one="times",
    )
    return len(died)


def revive(db: Database, receipts: Iterable[str], now: int) -> None:
    """Mark the dead hooks of these receipts as replayed: they are events now."""
    dead = table_of(tables.DeadHook)
    for part in chunks(receipts):
        db.execute(update(dead).where(dead.c.receipt.in_(part)).values(replayed_at=now))


def _row(hook: FailedHook, raw: Raw, stores: Mapping[str, StoreRow], now: int) -> dict[str, object]:
    store = stores.get(hook["store"])
    return {
        "store_id": store.id if store else None,
        "store": hook["store"],
        "version": hook["version"],
        "event": hook["event"],
        "receipt": hook["receipt"],
        "stage": hook["stage"],
        "reason": hook["reason"],
        **_kept(hook, *raw),
        "times": 1,
        "received_at": hook["received_at"],
        "died_at": now,
        "replayed_at": None,
    }


def _kept(hook: FailedHook, raw: bytes, query: str | None) -> dict[str, object]:
    detail = hook["detail"]
    if hook["reason"] == REVOKED:
        detail, raw, query = beginning(raw, query)
    return {"detail": detail, "raw": zlib.compress(raw, 1), "query": query}
