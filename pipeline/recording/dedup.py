"""Tells new happenings from those the ledger, or this very batch, has been told already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection as Database
from sqlalchemy import bindparam, update

from pipeline.ledger.schema import core
from pipeline.ledger.sql.tables import get_table
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.lookups import EventKey, KnownEvent, find_known_events


@dataclass(slots=True)
class DedupResult:
    """`fresh` stories in order; how many repeats of which known event, and of which fresh happening."""

    fresh: list[EventCandidate] = field(default_factory=list)
    repeats: Counter[int] = field(default_factory=Counter)  # event id -> more duplicates
    repeats_in_batch: Counter[EventKey] = field(default_factory=Counter)  # fresh happening -> duplicates
    repeats_by_event: Counter[str] = field(default_factory=Counter)  # event name -> repeats
    again: dict[str, KnownEvent] = field(default_factory=dict)  # receipt -> what it tells again
    repeated_keys: set[EventKey] = field(default_factory=set)  # known happenings


def deduplicate(conn: Database, candidates: Iterable[EventCandidate]) -> DedupResult:
    """Split stories into fresh ones and repeats. The same receipt twice is no repeat, only a retry of ours."""
    listed = list(candidates)
    known = find_known_events(conn, {key for story in listed for key in _candidate_keys(story)})
    found = DedupResult()
    for story in listed:
        match = _find_match(story, known)
        if match is None:
            told = KnownEvent(None, story.happening.received_at, story.hook["receipt"])
            known[story.store.id, story.happening.key] = told
            found.fresh.append(story)
            continue
        told = found.again[story.hook["receipt"]] = known[match]
        if told.receipt != story.hook["receipt"]:
            found.repeats_by_event[story.row.name] += 1
            if told.event_id is None:
                found.repeats_in_batch[match] += 1
            else:
                found.repeats[told.event_id] += 1
                found.repeated_keys.add(match)
    return found


def save_repeat_counts(conn: Database, repeats: Mapping[int, int]) -> None:
    """Add the repeats to their events, where the feed shows them."""
    event = get_table(core.Event)
    if repeats:
        counted = update(event).where(event.c.id == bindparam("b_id"))
        rows = [{"b_id": event_id, "more": more} for event_id, more in sorted(repeats.items())]
        conn.execute(counted.values(duplicates=event.c.duplicates + bindparam("more")), rows)


def _candidate_keys(candidate: EventCandidate) -> list[EventKey]:
    return [(candidate.store.id, key) for key in candidate.happening.candidate_keys()]


def _find_match(candidate: EventCandidate, known: Mapping[EventKey, KnownEvent]) -> EventKey | None:
    for key in _candidate_keys(candidate):
        if key in known and candidate.happening.is_same_event(known[key].received_at):
            return key
    return None
