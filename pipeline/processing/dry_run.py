"""Tries hooks that wait, to the end of the chain and without keeping anything of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from redis import Redis
from sqlalchemy import Engine

from pipeline.core.hooks import CANARY, HEARTBEAT, INTERNAL
from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import writing
from pipeline.processing.decode import decode_batch
from pipeline.processing.errors import is_hook_fault
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import record_batch

MAX_HOOKS_PER_END = 25  # hooks at either end of the inbox
MAX_HOOKS_PER_KIND = 3  # that are tried, at most


class _RollBack(Exception):
    """Nothing of what was tried is kept."""


def dry_run(
    redis: Redis, engine: Engine, now: Callable[[], int], exclude_receipts: Iterable[str] = ()
) -> tuple[int, int]:
    """Try some of the hooks that wait. Of the kinds there are among them, each store's events of one name being one:
    how many go on, and how many an error of ours keeps from it. `without`: receipts that are known to fail.

    Raises what a server or this machine raises; that says nothing of hooks.
    """
    kinds = _group_by_kind(redis, frozenset(exclude_receipts))
    sound = sum(
        any(_can_be_recorded(engine, entry, now) for entry in entries[:MAX_HOOKS_PER_KIND]) for entries in kinds
    )
    return sound, len(kinds) - sound


def _group_by_kind(redis: Redis, exclude_receipts: frozenset[str]) -> list[list[InboxEntry]]:
    kinds: dict[tuple[str, str], list[InboxEntry]] = {}
    for entry in stream.peek_both_ends(redis, MAX_HOOKS_PER_END):
        if entry.receipt not in exclude_receipts and entry.source != HEARTBEAT and entry.event != CANARY:
            kinds.setdefault((entry.store, entry.event), []).append(entry)
    return list(kinds.values())


def _can_be_recorded(engine: Engine, entry: InboxEntry, now: Callable[[], int]) -> bool:
    batch = validate_batch(decode_batch([entry], 0, now), now)
    if batch["failed"]:
        return batch["failed"][0]["reason"] != INTERNAL
    try:
        with writing(engine) as db:
            record_batch(db, batch["hooks"], [], {entry.entry_id: (entry.raw, entry.query)}, token=None, now=now())
            _roll_back()
    except _RollBack:
        return True
    except Exception as error:
        if not is_hook_fault(error):
            raise
    return False


def _roll_back() -> None:
    raise _RollBack
