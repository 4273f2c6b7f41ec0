"""The texts of alarms: a mail for people, a notice for programs. Neither holds personal data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.ledger.monitoring.rows import ANY_EVENT, ENDPOINT, AlarmRow

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_DAY_US = 1_440 * _MINUTE_US
ATTENTION_PATH = "/attention"
_SILENCE_TO_DO = (
    "Look in the shop whether it sold anything meanwhile; if it did: `cratewire hooks audit --store {store}`."
)
_ENDPOINT_TO_DO = (
    "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/monitoring.md has a list."
)


@dataclass(frozen=True, slots=True)
class AlertDigest:
    """The alarms that one mail announces: opened, still open, and ended."""

    opened: Sequence[AlarmRow] = ()
    still_open: Sequence[AlarmRow] = ()
    ended: Sequence[AlarmRow] = ()

    @property
    def kind(self) -> str:
        """The notice's type."""
        return "alarms.opened" if self.opened else "alarms.ended" if self.ended else "alarms.reminder"


def build_subject(digest: AlertDigest) -> str:
    """The subject of the mail: its most serious alarm."""
    alarms = [*digest.opened, *digest.still_open, *digest.ended]
    more = f", and {len(alarms) - 1} more" if len(alarms) > 1 and alarms[0].said else ""
    return _add_time(build_headline(alarms[0]), alarms[0]) + more


def _add_time(headline: str, alarm: AlarmRow) -> str:
    """Say since when, before the reason in parentheses: `nothing reaches Customer.io since 03:12 UTC (key refused)`."""
    if not alarm.said or alarm.ended_at or alarm.last_at is None:
        return headline
    same_day = alarm.last_at // _DAY_US == alarm.since // _DAY_US
    shown = format_clock(alarm.last_at) if same_day else format_time(alarm.last_at)
    what, bracket, reason = headline.rpartition(" (")
    if not bracket or reason[:1].isdigit():  # a count
        return f"{headline} since {shown}"
    return f"{what} since {shown}{bracket}{reason}"


def build_headline(alarm: AlarmRow) -> str:
    """What is wrong, or was, without a full stop."""
    if alarm.said:
        return f"Over: {alarm.said['headline']}" if alarm.ended_at else alarm.said["headline"]
    if alarm.kind == ENDPOINT:
        return "Hooks reach Cratewire again" if alarm.ended_at else "Hooks cannot reach Cratewire"
    what = "hooks" if alarm.event == ANY_EVENT else alarm.event
    return (
        f"{alarm.shown_store}: {what} come again"
        if alarm.ended_at
        else f"{alarm.shown_store}: no {what} since {format_time(alarm.last_at)}"
    )


def build_mail_text(digest: AlertDigest, public_url: str, now: int) -> str:
    """The text of the mail: what is wrong, since when, what it means, what to do, and when the next one comes."""
    sections = [*_describe_open(digest.opened), *_describe_open(digest.still_open), *map(_describe_ended, digest.ended)]
    stores = sorted({row.store for row in (*digest.opened, *digest.still_open, *digest.ended) if row.store})
    links = [f"{public_url}{ATTENTION_PATH}", *(f"{public_url}/stores/{store}" for store in stores)]
    is_open = bool(digest.opened or digest.still_open)
    more = (
        f"If it lasts, the next mail comes at {format_time(now + _DAY_US)}, and one when it is over." if is_open else ""
    )
    return "\n\n".join(filter(None, [*sections, more, "\n".join(links)])) + "\n"


def build_set_aside_notice(alarm: AlarmRow, now: int) -> dict[str, Any]:
    """The notice that an alarm was set aside. It names no one, and not the reason, which a person has typed."""
    aside = {**_build_alarm_data(alarm), "set_aside_until": format_iso_time(alarm.set_aside_until)}
    data = {"opened": [], "still_open": [], "ended": [], "set_aside": [aside]}
    return {"type": "alarms.set_aside", "timestamp": format_iso_time(now), "data": data}


def build_notice(digest: AlertDigest, now: int) -> dict[str, Any]:
    """The notice. Its times are ISO 8601."""
    parts = {"opened": digest.opened, "still_open": digest.still_open, "ended": digest.ended}
    return {
        "type": digest.kind,
        "timestamp": format_iso_time(now),
        "data": {name: [_build_alarm_data(alarm) for alarm in alarms] for name, alarms in parts.items()},
    }


def build_sentence(alarm: AlarmRow) -> str:
    """What is wrong."""
    if alarm.said:
        return f"{alarm.said['headline']}. {alarm.said['effect']}"
    if alarm.kind == ENDPOINT:
        before = f" The last one that did came at {format_time(alarm.last_at)}." if alarm.last_at else ""
        return (
            f"Hooks that Cratewire sends to its own public address do not come back: {alarm.reason}.{before} "
            "What Cratejoy sends meanwhile is probably lost."
        )
    what = "No hook" if alarm.event == ANY_EVENT else f"No {alarm.event}"
    return (
        f"{what} of {alarm.shown_store} has become an event since {format_time(alarm.last_at)}. "
        f"{_describe_usual_silence(alarm)}"
    )


def _describe_usual_silence(alarm: AlarmRow) -> str:
    """How long the store may be silent from then on: `On a Sunday at 21:14 UTC the longest usual silence is 2 h.`"""
    if alarm.last_at is None or alarm.expected_us is None:
        return "One should have come by now."
    begun = datetime.fromtimestamp(alarm.last_at // _SECOND_US, UTC)
    minutes = max(1, round(alarm.expected_us / _MINUTE_US))
    shown = f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"  # noqa: PLR2004 an hour and a half
    return f"From a {begun:%A} at {begun:%H:%M} UTC on, the longest usual silence is {shown}."


def build_to_do(alarm: AlarmRow) -> str:
    """The one thing to do."""
    if alarm.said:
        return alarm.said["to_do"]
    return _ENDPOINT_TO_DO if alarm.kind == ENDPOINT else _SILENCE_TO_DO.format(store=alarm.store)


def format_time(at: int | None) -> str:
    """A time in µs, for people."""
    return "the beginning" if at is None else f"{datetime.fromtimestamp(at // _SECOND_US, UTC):%Y-%m-%d %H:%M} UTC"


def format_clock(at: int) -> str:
    """The time of day of a time in µs: `03:12 UTC`."""
    return f"{datetime.fromtimestamp(at // _SECOND_US, UTC):%H:%M} UTC"


def format_iso_time(at: int | None) -> str | None:
    """A time in µs, for programs."""
    return None if at is None else datetime.fromtimestamp(at // _SECOND_US, UTC).isoformat().replace("+00:00", "Z")


def _describe_open(alarms: Sequence[AlarmRow]) -> Iterator[str]:
    """What was tried is listed once for all alarms that were diagnosed together."""
    listed: list[Sequence[str]] = []
    for alarm in alarms:
        yield build_sentence(alarm)
        lines = [f"Since {format_time(alarm.last_at)}."] if alarm.said else []
        lines.append(f"To do: {build_to_do(alarm)}")
        if alarm.said.get("command"):
            lines.append(f"Command: {alarm.said['command']}")
        yield "\n".join(lines)
        if alarm.tried and alarm.tried not in listed:
            listed.append(alarm.tried)
            yield "\n".join(["What was tried:", *(f"- {result}" for result in alarm.tried)])


def _describe_ended(alarm: AlarmRow) -> str:
    if alarm.said:
        cost = alarm.said.get("over", "")
        return f"{alarm.said['headline']}: over at {format_time(alarm.ended_at)}. {cost}".rstrip()
    if alarm.kind == ENDPOINT:
        return (
            f"Hooks that Cratewire sends to its own public address come back again since {format_time(alarm.ended_at)}."
        )
    what = "A hook" if alarm.event == ANY_EVENT else f"{alarm.event}"
    ended, last = format_time(alarm.ended_at), format_time(alarm.last_at)
    return f"{what} of {alarm.shown_store} has come again at {ended}, the first since {last}."


def _build_alarm_data(alarm: AlarmRow) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "store": alarm.store,
        "event": alarm.event or None,
        "last_at": format_iso_time(alarm.last_at),
        "expected_by": format_iso_time(alarm.expected_by),
        "since": format_iso_time(alarm.since),
        "ended_at": format_iso_time(alarm.ended_at),
        "reason": alarm.reason,
        "tried": list(alarm.tried),
        "subject": alarm.subject or None,
        "for": alarm.audience,
        "headline": build_headline(alarm),
        "effect": alarm.said.get("effect"),
        "to_do": alarm.said.get("to_do"),
        "over": alarm.said.get("over"),
    }
