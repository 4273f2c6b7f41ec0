"""A replay in words, the same on pages and on the command line: what it will do, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.plural import pluralize
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.replays import ReplayCounts, ReplayRow

_S_PER_HOUR = 3600

STATE_TEXTS = {
    "counting": "being counted",
    "counted": "not begun",
    "running": "running",
    "stopping": "stopping",
    "stopped": "stopped",
    "done": "done",
    "discarded": "discarded",
}


def describe_selection(row: ReplayRow) -> str:
    """What was selected, as a phrase: `3 events`, `events that could not be sent, about person 7`."""
    selection = row.selection
    if selection.kind == "events":
        return pluralize(len(selection.event_ids), "event")
    if selection.kind == "refused":
        return "every message that was refused" + _and_hooks(row)
    if selection.kind == "hooks":
        if selection.hook_ids:
            return pluralize(len(selection.hook_ids), "hook")
        named = f"hook called {selection.name}" if selection.name else "hook"
        return f"every {named} that could not be read" + _and_span(row)
    named = f"events called {selection.name}" if selection.name else "events"
    parts = [f"{named} {_SHOWN[selection.show]}" if selection.show in _SHOWN else named]
    parts += [f"of source {selection.source}"] if selection.source else []
    parts += [f"about person {selection.person_id}"] if selection.person_id else []
    parts += [f"about {selection.subject[0]} {selection.subject[1]}"] if selection.subject else []
    return ", ".join(parts) + _and_span(row) + _and_hooks(row)


def describe_plan(row: ReplayRow) -> list[str]:
    """What will happen, a sentence each; the first one says whether anything is sent."""
    counts = row.counts
    if not row.total:
        return ["There is nothing to send again.", *_describe_left_out(counts)]
    said = [
        f"{pluralize(counts.messages, 'message')} will be sent, about {pluralize(counts.people, 'person', 'people')}."
    ]
    said = said if counts.messages else ["No message will be sent at once."]
    if counts.repeats:
        has = "has" if counts.repeats == 1 else "have"
        said.append(
            f"{counts.repeats} of them {has} arrived before. They keep their ids: a platform ignores repeats "
            "for as long as it remembers the ids, and none documents how long that is."
        )
    said += _describe_campaigns(counts)
    if counts.hooks:
        said.append(
            f"{pluralize(counts.hooks, 'hook')} will be read again. What can be read now becomes an event, and is sent "
            "like a new one."
        )
    if counts.old_hooks:
        said.append(f"{counts.old_hooks} of these came more than {get_campaign_hours()} hours ago.")
    return said + _describe_left_out(counts)


def _describe_campaigns(counts: ReplayCounts) -> list[str]:
    if not counts.messages:
        return []
    hours = get_campaign_hours()
    if counts.too_old:
        old = f"{pluralize(counts.too_old, 'event')} happened more than {hours} hours ago and will start no campaign."
        return [old] if counts.too_old == counts.messages else [old, "The others can start campaigns."]
    return [f"They can start campaigns: none of the events is older than {hours} hours."]


def _describe_left_out(counts: ReplayCounts) -> list[str]:
    """What was found and is not sent."""
    found = [
        (counts.arrived, "arrived already"),
        (
            counts.waiting,
            "waits already and leaves by itself" if counts.waiting == 1 else "wait already and leave by themselves",
        ),
        (counts.withheld, "withheld"),
        (counts.gone, "no longer kept"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in found if count)
    return [f"Not sent: {said}."] if said else []


def count_not_sent(row: ReplayRow) -> int:
    """How many have not left: of a replay that was stopped, also what was taken back."""
    return row.left + row.taken_back


def describe_progress(row: ReplayRow) -> str:
    """How far it is: `12 done, 1 failed, 30 left`."""
    left = "not sent" if row.state in ("stopped", "stopping") else "left"
    said = f"{row.done} done, {row.failed} failed, {row.left} {left}"
    said += f", {row.left_out} changed meanwhile and left out" if row.left_out else ""
    return said + (f", {row.taken_back} taken back" if row.taken_back else "")


def get_campaign_hours() -> int:
    """After how many hours an event starts no campaign, at the strictest platform."""
    limits = [one.campaign_age_s for one in DESTINATIONS.values() if one.campaign_age_s is not None]
    return min(limits) // _S_PER_HOUR


def name_platforms(platforms: Sequence[str]) -> str:
    """The platforms' titles, as people know them."""
    return " and ".join(DESTINATIONS[name].title for name in platforms)


def _and_span(row: ReplayRow) -> str:
    return ", of a span of time" if row.selection.since or row.selection.until else ""


def _and_hooks(row: ReplayRow) -> str:
    return ", and the hooks that could not be read" if row.selection.with_hooks else ""


_SHOWN = {
    "sent": "that are at the platform",
    "kept": "that were kept and not sent",
    "withheld": "that were withheld",
    "repeats": "that were reported again",
    "waiting": "that wait",
    "refused": "that could not be sent",
    "recovered": "that were caught up",
    "tests": "of tests",
}
