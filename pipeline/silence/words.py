"""Alarms in words: a letter for people, the content of a notice for programs. Neither holds anybody's data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.ledger.silence.alarms import ANY, WAY_IN, AlarmRow

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class News:
    """What is told at once: new alarms, those that are still open, those that are over."""

    opened: Sequence[AlarmRow] = ()
    still_open: Sequence[AlarmRow] = ()
    ended: Sequence[AlarmRow] = ()

    @property
    def kind(self) -> str:
        """The notice's type."""
        return "alarms.opened" if self.opened else "alarms.ended" if self.ended else "alarms.reminder"


def subject_of(news: News) -> str:
    """The letter's subject: the gravest of it."""
    told = [*news.opened, *news.still_open, *news.ended]
    more = f", and {len(told) - 1} more" if len(told) > 1 and told[0].said else ""
    return headline_of(told[0]) + more


def headline_of(alarm: AlarmRow) -> str:
    """What is wrong, or was, without a full stop."""
    if alarm.said:
        return f"Over: {alarm.said['headline']}" if alarm.ended_at else alarm.said["headline"]
    if alarm.kind == WAY_IN:
        return "Hooks reach Cratewire again" if alarm.ended_at else "Hooks cannot reach Cratewire"
    what = "hooks" if alarm.event == ANY else alarm.event
    return (
        f"{alarm.store}: {what} come again"
        if alarm.ended_at
        else f"{alarm.store}: no {what} since {when(alarm.last_at)}"
    )


def text_of(news: News, public_url: str) -> str:
    """The letter."""
    told = [*_open_in_words(news.opened), *_open_in_words(news.still_open), *map(_ended_in_words, news.ended)]
    stores = sorted({one.store for one in (*news.opened, *news.still_open, *news.ended) if one.store})
    links = [f"{public_url}/stores/{store}" for store in stores] or [public_url]
    more = "Until it is over you are reminded once a day." if news.opened or news.still_open else ""
    return "\n\n".join(filter(None, [*told, more, "\n".join(links)])) + "\n"


def content_of(news: News, now: int) -> dict[str, Any]:
    """The notice. Its times are ISO 8601."""
    parts = {"opened": news.opened, "still_open": news.still_open, "ended": news.ended}
    return {
        "type": news.kind,
        "timestamp": iso(now),
        "data": {name: [_as_data(one) for one in alarms] for name, alarms in parts.items()},
    }


def sentence_of(alarm: AlarmRow) -> str:
    """What is wrong."""
    if alarm.said:
        return f"{alarm.said['headline']}. {alarm.said['effect']}"
    if alarm.kind == WAY_IN:
        before = f" The last one that did came at {when(alarm.last_at)}." if alarm.last_at else ""
        return (
            f"Hooks that Cratewire sends to its own public address do not come back: {alarm.reason}.{before} "
            "What Cratejoy sends meanwhile is probably lost."
        )
    what = "No hook" if alarm.event == ANY else f"No {alarm.event}"
    return (
        f"{what} of {alarm.store} has become an event since {when(alarm.last_at)}. "
        f"By what is known of the store one should have come by {when(alarm.expected_by)}."
    )


def when(at: int | None) -> str:
    """A time in µs, for people."""
    return "the beginning" if at is None else f"{datetime.fromtimestamp(at // _MICROS, UTC):%Y-%m-%d %H:%M} UTC"


def iso(at: int | None) -> str | None:
    """A time in µs, for programs."""
    return None if at is None else datetime.fromtimestamp(at // _MICROS, UTC).isoformat().replace("+00:00", "Z")


def _open_in_words(alarms: Sequence[AlarmRow]) -> Iterator[str]:
    """What was tried is told once for all alarms of one store that were tried together."""
    told: list[Sequence[str]] = []
    for alarm in alarms:
        yield sentence_of(alarm)
        if alarm.said:
            yield f"Since {when(alarm.last_at)}.\nTo do: {alarm.said['to_do']}"
        if alarm.tried and alarm.tried not in told:
            told.append(alarm.tried)
            yield "\n".join(["What was tried:", *(f"- {one}" for one in alarm.tried)])


def _ended_in_words(alarm: AlarmRow) -> str:
    if alarm.said:
        cost = alarm.said.get("over", "")
        return f"{alarm.said['headline']}: over at {when(alarm.ended_at)}. {cost}".rstrip()
    if alarm.kind == WAY_IN:
        return f"Hooks that Cratewire sends to its own public address come back again since {when(alarm.ended_at)}."
    what = "A hook" if alarm.event == ANY else f"{alarm.event}"
    return f"{what} of {alarm.store} has come again at {when(alarm.ended_at)}, the first since {when(alarm.last_at)}."


def _as_data(alarm: AlarmRow) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "store": alarm.store,
        "event": alarm.event or None,
        "last_at": iso(alarm.last_at),
        "expected_by": iso(alarm.expected_by),
        "since": iso(alarm.since),
        "ended_at": iso(alarm.ended_at),
        "reason": alarm.reason,
        "tried": list(alarm.tried),
        "subject": alarm.subject or None,
        "for": alarm.audience,
        "headline": headline_of(alarm),
        "effect": alarm.said.get("effect"),
        "to_do": alarm.said.get("to_do"),
        "over": alarm.said.get("over"),
    }
