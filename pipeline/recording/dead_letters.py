"""Plans the dead letters of a batch: hooks that could not become events, with their raw bytes and the reason.

Hooks to a revoked URL may keep coming for ever. Of each store the first hundred are stored, and the beginning of each;
further ones are only counted, in the detail of the newest.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.hooks import FailedHook, RawBody
from pipeline.recording.snapshot import RecordingStore, StoredDeadLetter

REVOKED = "token_revoked"
MAX_REVOKED_BYTES = 1_000  # of each body, and of each query string
MAX_REVOKED_PER_STORE = 100  # rows
FURTHER_KEY = "further"  # in the detail of a store's newest row: how many more came


@dataclass(slots=True)
class DeadLetterPlan:
    """Rows to insert, or to count up where the receipt died before; and details to change, by row id."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    details: dict[int, dict[str, Any]] = field(default_factory=dict)
    total: int = 0  # hooks that died, whether a row is written for them or not


def find_revoked_stores(failed: Iterable[FailedHook]) -> set[str]:
    """Names of the stores to whose revoked URLs these hooks came."""
    return {hook["store"] for hook in failed if hook["reason"] == REVOKED}


def plan_dead_letters(
    failed: Iterable[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    stores: Mapping[str, RecordingStore],
    stored: Mapping[str, Sequence[StoredDeadLetter]],
    now: int,
) -> DeadLetterPlan:
    """Plan the rows of hooks that died. `stored`: the dead letters of revoked URLs by store, the oldest first."""
    rows: dict[str, dict[str, Any]] = {}  # by receipt: one that died twice in a batch is one row
    for hook in failed:
        rows[hook["receipt"]] = _build_row(hook, raw_bodies.get(hook["entry_id"], (b"", None)), stores, now)
    plan = DeadLetterPlan(total=len(rows))
    revoked: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.values():
        (revoked[row["store"]] if row["reason"] == REVOKED else plan.rows).append(row)
    for store, arrived in revoked.items():
        _limit_revoked(plan, arrived, stored.get(store, ()))
    return plan


def _limit_revoked(plan: DeadLetterPlan, arrived: list[dict[str, Any]], stored: Sequence[StoredDeadLetter]) -> None:
    known = {letter.receipt for letter in stored}
    again = [row for row in arrived if row["receipt"] in known]
    fresh = [row for row in arrived if row["receipt"] not in known]
    room = max(0, MAX_REVOKED_PER_STORE - len(stored))
    further = len(fresh) - room
    if further > 0 and stored:
        detail = stored[-1].detail
        plan.details[stored[-1].id] = {**detail, FURTHER_KEY: detail.get(FURTHER_KEY, 0) + further}
    elif further > 0:
        fresh[room - 1]["detail"] |= {FURTHER_KEY: further}
    plan.rows += [*again, *fresh[:room]]


def _build_row(hook: FailedHook, raw: RawBody, stores: Mapping[str, RecordingStore], now: int) -> dict[str, Any]:
    store = stores.get(hook["store"])
    return {
        "store_id": store.id if store else None,
        "store": hook["store"],
        "version": hook["version"],
        "event": hook["event"],
        "receipt": hook["receipt"],
        "stage": hook["stage"],
        "reason": hook["reason"],
        **_build_raw_columns(hook, *raw),
        "times": 1,
        "received_at": hook["received_at"],
        "died_at": now,
        "replayed_at": None,
    }


def _build_raw_columns(hook: FailedHook, raw: bytes, query: str | None) -> dict[str, object]:
    detail = hook["detail"]
    if hook["reason"] == REVOKED:
        detail = {"size": len(raw) + len(query or "")}
        raw, query = raw[:MAX_REVOKED_BYTES], None if query is None else query[:MAX_REVOKED_BYTES]
    return {"detail": detail, "raw": zlib.compress(raw, 1), "query": query}
