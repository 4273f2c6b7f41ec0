"""Takes out of a batch what has killed its readers too often; it becomes a dead hook with its raw bytes."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.chain.heads import failed, head_of_entry
from pipeline.errors import BadHook
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.inbox.tries import MOST
from pipeline.model import Batch, FailedHook

POISON = "poison"


def set_aside(batch: Batch, poison: Iterable[InboxEntry]) -> Batch:
    """The batch with these entries among its failed ones."""
    dead = [failed(head_of_entry(entry), "decode", BadHook(POISON, {"tries": MOST})) for entry in poison]
    return Batch(token=batch["token"], hooks=batch["hooks"], failed=[*batch["failed"], *dead])


def without(batch: Batch, held: Iterable[FailedHook]) -> Batch:
    """The batch without these hooks, which stay in the inbox."""
    names = {one["entry_id"] for one in held}
    hooks = [one for one in batch["hooks"] if one["entry_id"] not in names]
    return Batch(
        token=batch["token"], hooks=hooks, failed=[one for one in batch["failed"] if one["entry_id"] not in names]
    )
