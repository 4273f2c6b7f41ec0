"""How a store is doing, in words: the first thing that its owner reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import url_for

from pipeline.backfill.progress import Progress
from pipeline.ledger.backfills import ALL, FAILED, RUNNING
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.queries.standings import StoreStanding, StoreState
from pipeline.ledger.queries.store_figures import StoreFigures
from pipeline.monitoring.messages import build_sentence
from receiver.pages.filters import connection as name_connection
from receiver.pages.filters import duration, number, sentence

STATE_WORDS: dict[StoreState, str] = {
    "needs_you": "Needs you",
    "catching_up": "Catching up",
    "not_started": "Not started",
    "working": "Working",
}
_SAID_OF_ONE: dict[StoreState, str] = {
    "needs_you": "Your shop needs you.",
    "not_started": "Your shop waits for its first event.",
    "working": "Your shop is working.",
}
_SECOND_US = 1_000_000
_KEYS_REFUSED = frozenset({"platform_keys_refused", "cratejoy_keys_refused"})


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its words, and the page that it opens."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a store is doing: the state, a word for it, a sentence, and what to do about it."""

    state: StoreState
    word: str
    sentence: str
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a verdict is made from."""

    name: str
    shown_name: str
    standing: StoreStanding
    figures: StoreFigures
    connections: Sequence[ConnectionRow]
    progress: Progress | None
    can_change: bool


def judge(facts: StoreFacts, now: int) -> Verdict:
    """How the store is doing."""
    describe = {
        "needs_you": _describe_need,
        "catching_up": _describe_backlog,
        "not_started": lambda _facts, _now: "Waiting for the first event from the shop.",
        "working": _describe_work,
    }
    state = facts.standing.state
    action = _find_action(facts) if state == "needs_you" else None
    return Verdict(state, STATE_WORDS[state], describe[state](facts, now), action)


def say_how_all_are(states: Iterable[StoreState]) -> str:
    """One sentence about all stores: `1 of 2 shops needs you.`"""
    counts = Counter(states)
    total = counts.total()
    if total == 1 and not counts["catching_up"]:
        return _SAID_OF_ONE[next(iter(counts))]
    if need := counts["needs_you"]:
        return f"{need} of {total} shops {'needs' if need == 1 else 'need'} you."
    if counts["working"] == total:
        return f"All {total} shops are working."
    parts = []
    if late := counts["catching_up"]:
        parts.append(f"{late} of {total} shops {'is' if late == 1 else 'are'} catching up")
    if new := counts["not_started"]:
        parts.append(f"{new} of {total} shops {'waits' if new == 1 else 'wait'} for the first event")
    return f"{', and '.join(parts)}. Nothing needs you."


def describe_alarm(alarm: AlarmRow) -> str:
    """What is wrong, without the name of the store: it stands on a page about the store."""
    said = build_sentence(alarm)
    for name in (alarm.store_title, alarm.store):
        if name and said.startswith(f"{name}: "):
            rest = said.removeprefix(f"{name}: ")
            return rest[:1].upper() + rest[1:]
    return said


def describe_waiting(figures: StoreFigures, now: int) -> str:
    """How many messages wait, and for how long: `64 messages wait, the oldest for 14 min.`"""
    if figures.oldest_waiting_at is None:
        return "No message waits."
    age = duration((now - figures.oldest_waiting_at) / _SECOND_US)
    waits = "message waits" if figures.waiting == 1 else "messages wait"
    return f"{number(figures.waiting)} {waits}, the oldest for {age}."


def _describe_need(facts: StoreFacts, _now: int) -> str:
    if facts.standing.alarms:
        return describe_alarm(facts.standing.alarms[0])
    for link in facts.connections:
        if link.status_reason:
            return f"{name_connection(link)}: {sentence(link.status_reason)} Everything is kept; nothing is sent."
    if facts.progress and facts.progress.state == FAILED:
        return f"Its customers could not be read: {sentence(facts.progress.error or 'the reason is not known')}"
    return "Something in it waits for you."


def _describe_backlog(facts: StoreFacts, now: int) -> str:
    progress = facts.progress
    if progress and progress.state == RUNNING and progress.kind == ALL:
        total = "" if progress.customers_total is None else f" of {number(progress.customers_total)}"
        left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
        return f"Its customers are being read: {number(progress.customers)}{total}{left}."
    reason = facts.figures.waiting_reason
    why = "" if reason is None else f" The last attempt failed: {reason.rstrip('.')}."
    return f"{describe_waiting(facts.figures, now)}{why} They leave in order, by themselves; none is lost."


def _describe_work(facts: StoreFacts, _now: int) -> str:
    names = [name_connection(link) for link in facts.connections]
    if not names:
        return "Events arrive. No platform is connected, so nothing is sent."
    return f"Events arrive, and {' and '.join(names)} {'takes' if len(names) == 1 else 'take'} them."


def _find_action(facts: StoreFacts) -> Action | None:
    if any(alarm.kind in _KEYS_REFUSED for alarm in facts.standing.alarms[:1]) and facts.can_change:
        return Action("Enter a new key", url_for("connect.show", store=facts.name))
    if facts.standing.alarms:
        first = facts.standing.alarms[0]
        return Action("See what to do", f"{url_for('attention.show')}#item-{first.id}")
    return Action("See what to do", url_for("home.store", name=facts.name))
