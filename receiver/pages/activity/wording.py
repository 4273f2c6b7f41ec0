"""What became of an event, in the words of the pages: an icon, a word and a colour for each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.core.consent import WithheldReason
from pipeline.core.hooks import UNREADABLE_TEXTS
from pipeline.ledger.queries import Activity, PlatformState
from pipeline.ledger.queries.unreadable import UnreadableHook
from receiver.pages.filters import connection, duration, words

Tone = Literal["good", "waits", "bad", "quiet"]

_US_PER_SECOND = 1_000_000
_ICONS: dict[Tone, str] = {"good": "✓", "waits": "◔", "bad": "✗", "quiet": "○"}
_OUTCOMES = {
    "recorded": "kept, not sent",
    "test": "test, not sent",
    "unknown_event": "kept, not sent",
    "nobody": "no address to send to",
    "no_connection": "no platform connected",
    "withheld": "withheld",
    "suppressed": "suppressed, not sent",
}
_WITHHELD: dict[WithheldReason, str] = {
    "withheld_marketplace": "withheld: Marketplace",
    "withheld_origin_unknown": "withheld: origin not known",
    "withheld_gift_recipient": "withheld: gift recipient",
}
_SHORT_S = 10  # below this, a time is shown with one decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as a reader sees it."""

    tone: Tone
    text: str
    reason: str | None = None

    @property
    def icon(self) -> str:
        return _ICONS[self.tone]


def describe_outcome(activity: Activity, now: int) -> list[Mark]:
    """What became of an event: one mark for each connection it went to, else why it went to none."""
    if activity.outcome != "forwarded":
        text = _WITHHELD[activity.withheld] if activity.outcome == "withheld" and activity.withheld else None
        return [Mark("quiet", text or _OUTCOMES.get(activity.outcome, words(activity.outcome)))]
    return [_describe_platform(activity, state, now) for state in activity.platforms] or [Mark("good", "sent")]


def describe_unreadable(hook: UnreadableHook) -> list[Mark]:
    """Why a hook became no event."""
    return [Mark("bad", "could not be read", UNREADABLE_TEXTS.get(hook.reason, words(hook.reason)))]


def _describe_platform(activity: Activity, state: PlatformState, now: int) -> Mark:
    name = connection(state)
    if state.state == "waiting":
        return Mark("waits", f"waits for {name}, {_format_span(now - state.since)}")
    if state.state == "refused":
        return Mark("bad", f"refused by {name}", words(state.reason or "") or None)
    if state.state == "withheld":
        return Mark("quiet", f"withheld from {name}")
    if state.state == "stopped":
        return Mark("quiet", f"not sent to {name}: the person was erased")
    return Mark("good", f"at {name} after {_format_span(state.since - activity.received_at)}")


def _format_span(span_us: int) -> str:
    seconds = max(0, span_us) / _US_PER_SECOND
    return f"{seconds:.1f} s" if seconds < _SHORT_S else duration(seconds)
