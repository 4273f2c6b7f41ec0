"""What every link of the chain carries of a hook, and how a hook leaves the chain for the dead hooks."""

from __future__ import annotations

from pipeline.chain.release import RELEASE
from pipeline.errors import BadHook
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.model import INTERNAL, Entry, FailedHook


def head_of_entry(entry: InboxEntry) -> Entry:
    """The head of a hook as it was read from the inbox."""
    return Entry(
        entry_id=entry.entry_id,
        receipt=entry.receipt,
        store=entry.store,
        version=entry.version,
        event=entry.event,
        received_at=entry.received_at,
        source=entry.source,
    )


def failed(head: Entry, stage: str, error: BadHook) -> FailedHook:
    """A hook on its way to the dead hooks."""
    return FailedHook(**head, stage=stage, reason=error.reason, detail=dict(error.detail))


def internal(error: Exception) -> BadHook:
    """A fault of ours, told by its kind only: its text may quote the body. And of which release it is."""
    return BadHook(INTERNAL, {"error": type(error).__name__, "release": RELEASE})
