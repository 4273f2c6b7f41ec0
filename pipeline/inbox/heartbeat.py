"""The hook we send ourselves: it lies in the inbox like any other, and no store could send one."""

from __future__ import annotations

from pipeline.core.hooks import HEARTBEAT
from pipeline.inbox.entry import RawHook


def build_heartbeat(at: int) -> RawHook:
    """One sent now. Its body differs from all others, so that a try of one is no try of the next."""
    return RawHook(f"{at:014x}{HEARTBEAT}", "", 0, HEARTBEAT, at, b'{"sent_at":%d}' % at, source=HEARTBEAT)
