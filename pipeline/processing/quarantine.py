"""Takes out of a batch what has killed its readers too often; it becomes a dead hook with its raw bytes."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.errors import BadHook
from pipeline.core.hooks import Batch, FailedHook
from pipeline.inbox.entry import InboxEntry
from pipeline.inbox.poison import MAX_TRIES
from pipeline.processing.failures import build_envelope, build_failed_hook

POISON = "poison"


def quarantine(batch: Batch, poison: Iterable[InboxEntry]) -> Batch:
    """The batch with these entries among its failed ones."""
    dead = [
        build_failed_hook(build_envelope(entry), "decode", BadHook(POISON, {"tries": MAX_TRIES})) for entry in poison
    ]
    return Batch(token=batch["token"], hooks=batch["hooks"], failed=[*batch["failed"], *dead])


def exclude_hooks(batch: Batch, excluded: Iterable[FailedHook]) -> Batch:
    """The batch without these hooks, which stay in the inbox."""
    names = {one["entry_id"] for one in excluded}
    hooks = [one for one in batch["hooks"] if one["entry_id"] not in names]
    return Batch(
        token=batch["token"], hooks=hooks, failed=[one for one in batch["failed"] if one["entry_id"] not in names]
    )
