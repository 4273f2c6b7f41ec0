"""Separates new events from repeats of an event that the ledger, or this very batch, has already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.recording.candidate import EventCandidate
from pipeline.recording.snapshot import EventKey, KnownEvent


@dataclass(frozen=True, slots=True)
class Repeat:
    """A hook that repeats an event. `event` has no id if that event is of the same batch."""

    store_id: int
    name: str
    received_at: int
    event: KnownEvent


@dataclass(slots=True)
class DedupResult:
    """The fresh candidates in order, and how often known events and fresh ones were repeated."""

    fresh: list[EventCandidate] = field(default_factory=list)
    repeats: Counter[int] = field(default_factory=Counter)  # id of a known event -> further duplicates
    repeats_in_batch: Counter[EventKey] = field(default_factory=Counter)  # fresh event -> duplicates
    repeats_by_event: Counter[str] = field(default_factory=Counter)  # event name -> repeats
    again: dict[str, KnownEvent] = field(default_factory=dict)  # receipt -> the event it repeats
    repeated_keys: set[EventKey] = field(default_factory=set)  # known events that were repeated
    repeat_hooks: list[Repeat] = field(default_factory=list)


def get_candidate_keys(candidate: EventCandidate) -> list[EventKey]:
    """The keys under which the candidate's event may be known."""
    return [(candidate.store.id, key) for key in candidate.identity.candidate_keys()]


def deduplicate(candidates: Iterable[EventCandidate], known_events: Mapping[EventKey, KnownEvent]) -> DedupResult:
    """Split candidates into fresh ones and repeats. The same receipt twice is our own retry and not counted."""
    known = dict(known_events)
    result = DedupResult()
    for candidate in candidates:
        receipt = candidate.hook["receipt"]
        match = _find_match(candidate, known)
        if match is None:
            key = candidate.store.id, candidate.identity.key
            known[key] = KnownEvent(None, candidate.identity.received_at, receipt)
            result.fresh.append(candidate)
            continue
        event = result.again[receipt] = known[match]
        if event.receipt != receipt:
            hook = candidate.hook
            result.repeats_by_event[candidate.row.name] += 1
            result.repeat_hooks.append(Repeat(candidate.store.id, candidate.row.name, hook["received_at"], event))
            if event.event_id is None:
                result.repeats_in_batch[match] += 1
            else:
                result.repeats[event.event_id] += 1
                result.repeated_keys.add(match)
    return result


def _find_match(candidate: EventCandidate, known: Mapping[EventKey, KnownEvent]) -> EventKey | None:
    for key in get_candidate_keys(candidate):
        if key in known and candidate.identity.is_same_event(known[key].received_at):
            return key
    return None
