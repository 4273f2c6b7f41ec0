"""What every link of the chain carries of a hook, and how a hook leaves the chain for the dead hooks."""

from __future__ import annotations

from pipeline.core.errors import BadHook
from pipeline.core.hooks import INTERNAL, FailedHook, HookEnvelope
from pipeline.inbox.entry import InboxEntry
from pipeline.processing.release import RELEASE


def build_envelope(entry: InboxEntry) -> HookEnvelope:
    """The head of a hook as it was read from the inbox."""
    return HookEnvelope(
        entry_id=entry.entry_id,
        receipt=entry.receipt,
        store=entry.store,
        version=entry.version,
        event=entry.event,
        received_at=entry.received_at,
        source=entry.source,
    )


def build_failed_hook(envelope: HookEnvelope, stage: str, error: BadHook) -> FailedHook:
    """A hook on its way to the dead hooks."""
    return FailedHook(**envelope, stage=stage, reason=error.reason, detail=dict(error.detail))


def wrap_internal_error(error: Exception) -> BadHook:
    """A fault of ours, told by its kind only: its text may quote the body. And of which release it is."""
    return BadHook(INTERNAL, {"error": type(error).__name__, "release": RELEASE})
