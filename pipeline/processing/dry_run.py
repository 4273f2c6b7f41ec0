"""Runs waiting hooks through the whole chain and rolls back, to see whether this release can process them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from redis import Redis
from sqlalchemy import Engine

from pipeline.core.hooks import CANARY, HEARTBEAT, INTERNAL_ERROR
from pipeline.inbox import stream
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import writing
from pipeline.processing.decode import decode_batch
from pipeline.processing.failures import is_hook_fault
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import record_batch

MAX_HOOKS_PER_END = 25  # hooks read at either end of the inbox
MAX_HOOKS_PER_KIND = 3  # hooks of a kind that are tried before it counts as failing


class _RollBack(Exception):
    """Ends the transaction without a commit."""


def dry_run(
    redis: Redis,
    engine: Engine,
    now: Callable[[], int],
    exclude_receipts: Iterable[str] = (),
    secret_keys: Sequence[str] = (),
) -> tuple[int, int]:
    """Try some of the waiting hooks of each kind, which is a store's hooks of one event name.

    Returns how many kinds succeed, and how many fail with an internal error. `exclude_receipts` are hooks that are
    known to fail. Raises errors of servers and of this machine, since they say nothing about the hooks.
    """
    kinds = _group_by_kind(redis, frozenset(exclude_receipts))
    succeeded = sum(
        any(_can_be_recorded(engine, entry, now, secret_keys) for entry in entries[:MAX_HOOKS_PER_KIND])
        for entries in kinds
    )
    return succeeded, len(kinds) - succeeded


def _group_by_kind(redis: Redis, exclude_receipts: frozenset[str]) -> list[list[InboxEntry]]:
    kinds: dict[tuple[str, str], list[InboxEntry]] = {}
    for entry in stream.peek_both_ends(redis, MAX_HOOKS_PER_END):
        if entry.receipt not in exclude_receipts and entry.source != HEARTBEAT and entry.event != CANARY:
            kinds.setdefault((entry.store, entry.event), []).append(entry)
    return list(kinds.values())


def _can_be_recorded(engine: Engine, entry: InboxEntry, now: Callable[[], int], secret_keys: Sequence[str]) -> bool:
    batch = validate_batch(decode_batch([entry], 0, now), now)
    if batch["failed"]:
        return batch["failed"][0]["reason"] != INTERNAL_ERROR
    try:
        with writing(engine) as conn:
            raws = {entry.entry_id: (entry.raw, entry.query)}
            record_batch(conn, batch["hooks"], [], raws, token=None, now=now(), secret_keys=secret_keys)
            _roll_back()
    except _RollBack:
        return True
    except Exception as error:
        if not is_hook_fault(error):
            raise
    return False


def _roll_back() -> None:
    raise _RollBack
