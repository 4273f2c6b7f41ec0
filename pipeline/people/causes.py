"""Each cause for which an event was sent about a person, or was not, and its sentence: the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Literal

from pipeline.core.plural import pluralize

Cause = Literal[
    "sent", "recovered", "sent_too_old", "may_be_dropped", "superseded", "sent_and_superseded",
    "sending", "waiting_turn", "waiting_retry", "waiting_rate", "waiting_paused",
    "refused", "erased",
    "withheld_marketplace", "withheld_origin_unknown", "withheld_gift_recipient", "withheld_before",
    "switched_off", "recorded_only", "test", "unknown_event", "no_connection", "no_address", "malformed_address",
    "no_message",
    "unreadable", "never_arrived", "hook_may_come", "before_connection",
]  # fmt: skip
Tone = Literal["good", "waits", "bad", "quiet"]

_US_PER_S = 1_000_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Words:
    """A part of a sentence; `at` (µs) where it is a time, so that a page can show it in its own way."""

    text: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cause, as a sentence. `platform`: as people read it; None if the cause is the same for every platform."""

    cause: Cause
    tone: Tone
    words: tuple[Words, ...]
    platform: str | None = None

    @property
    def sentence(self) -> str:
        """The sentence as plain text; times in UTC."""
        return "".join(part.text for part in self.words)


@dataclass(frozen=True, slots=True)
class _Row:
    tone: Tone
    template: str


_TABLE: dict[Cause, _Row] = {
    "sent": _Row("good", "Sent to {platform} at {done_at}{after}."),
    "recovered": _Row(
        "good",
        "The hook never arrived. Cratejoy's API showed the event, so it was recovered at {received_at} and sent to "
        "{platform} at {done_at}.",
    ),
    "sent_too_old": _Row(
        "waits",
        "Sent to {platform} at {done_at}, when it was {age} old: {platform} starts no campaign from an event older "
        "than {limit}.",
    ),
    "may_be_dropped": _Row(
        "waits",
        "{platform} accepted it at {done_at}, and was limiting our calls then: it may have dropped it without saying "
        "so. Look at the person there; sent again, it is not doubled.",
    ),
    "superseded": _Row("quiet", "Not sent to this person: the gift has another recipient by now."),
    "sent_and_superseded": _Row("good", "Sent to {platform} at {done_at}. The gift has another recipient since then."),
    "sending": _Row("waits", "Being sent to {platform} now."),
    "waiting_turn": _Row(
        "waits", "Waits for {platform} since {created_at}: it leaves after the messages before it in its lane."
    ),
    "waiting_retry": _Row(
        "waits",
        "Waits for {platform} since {created_at}: {why}. Tried {attempts} without success since {failing_since}; the "
        "next try is at {next_attempt_at}.",
    ),
    "waiting_rate": _Row(
        "waits",
        "Waits for {platform} since {created_at}: the account has used up its rate limit; the next call is at "
        "{next_attempt_at}.",
    ),
    "waiting_paused": _Row(
        "bad",
        "Waits for {platform} since {created_at}: the connection is paused since {paused_since}, {why}. It leaves once "
        "the connection is resumed.",
    ),
    "refused": _Row("bad", "{platform} refused it at {done_at}: {why}."),
    "erased": _Row("quiet", "Not sent to {platform}: the person was erased at {done_at}."),
    "withheld_marketplace": _Row(
        "quiet", "Withheld because the person is known only from Marketplace, and this store sends nothing about them."
    ),
    "withheld_origin_unknown": _Row(
        "quiet",
        "Withheld because it is not known yet whether the person is of the storefront or of Marketplace. It is sent if "
        "they turn out to be of the storefront.",
    ),
    "withheld_gift_recipient": _Row(
        "quiet", "Withheld because this store sends nothing about people who only receive gifts."
    ),
    "withheld_before": _Row(
        "quiet",
        "Withheld when it arrived, as nothing was known of the person from the storefront then. What was withheld is "
        "not sent afterwards.",
    ),
    "switched_off": _Row("quiet", "Kept and not sent: this store does not forward {event}."),
    "recorded_only": _Row(
        "quiet",
        "The hook never arrived. The event was recovered through Cratejoy's API at {received_at}, kept and not sent: "
        "this store only records what it recovers.",
    ),
    "test": _Row("quiet", "Kept and not sent: it is a test order, and this store forwards none."),
    "unknown_event": _Row("quiet", "Kept and not sent: this version of Cratewire does not know the event {event}."),
    "no_connection": _Row("bad", "Not sent: no platform was connected when it arrived at {received_at}."),
    "no_address": _Row("quiet", "Not sent: no address of the person was known."),
    "malformed_address": _Row(
        "quiet", "Not sent: what the store shows as the person's address is not an address that mail can reach."
    ),
    "no_message": _Row("quiet", "No message was written for this person."),
    "unreadable": _Row(
        "bad",
        "A hook that names the person ({subject}) arrived at {at} and could not be read: {why}. Its bytes are kept, "
        "and it can be replayed.",
    ),
    "never_arrived": _Row("bad", "No hook has ever reported {subject}{dated}, though {witness} shows it."),
    "hook_may_come": _Row(
        "waits",
        "No hook has reported {subject}{dated} yet, though {witness} shows it. It may still come; else it is recovered "
        "by itself.",
    ),
    "before_connection": _Row(
        "quiet", "{subject}{dated} is from before the store was connected: it is in the profile, and is no event."
    ),
}


def build_verdict(cause: Cause, values: Mapping[str, object], platform: str | None = None, lead: str = "") -> Verdict:
    """The verdict of this cause. `values`: what its sentence names; an int is a time in µs. `lead` stands before it."""
    row = _TABLE[cause]
    words = [Words(lead)] if lead else []
    for text, name, _, _ in Formatter().parse(row.template):
        words += [Words(text)] if text else []
        if name is not None:
            value = values[name]
            words.append(Words(format_time(value), value) if isinstance(value, int) else Words(str(value or "")))
    return Verdict(cause, row.tone, tuple(word for word in words if word.text), platform)


def format_time(at: int) -> str:
    """Format a time in µs for the text of a sentence."""
    return datetime.fromtimestamp(at / _US_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def format_date(at: int, now: int | None = None) -> str:
    """Format the day of a time in µs: `30 January 2026`; without the year if it is that of `now`."""
    day = datetime.fromtimestamp(at / _US_PER_S, UTC)
    is_this_year = now is not None and datetime.fromtimestamp(now / _US_PER_S, UTC).year == day.year
    return f"{day.day} {day:%B}" if is_this_year else f"{day.day} {day:%B %Y}"


def format_span(span_us: int) -> str:
    """Format a span in µs by its largest units: `0.3 s`, `3 min 20 s`, `4 days`."""
    seconds = max(0, span_us) / _US_PER_S
    if seconds < 10:  # noqa: PLR2004 below this, one decimal
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        minutes, rest = divmod(whole, _MINUTE_S)
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    if whole <= 3 * _DAY_S:
        return pluralize(whole // _HOUR_S, "hour")
    return pluralize(whole // _DAY_S, "day")
