"""Tells new happenings from those the ledger, or this very batch, has been told already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection as Database
from sqlalchemy import bindparam, update

from pipeline.ledger import tables
from pipeline.record.known import HappeningKey, Told, table_of, told_already
from pipeline.record.story import Story


@dataclass(slots=True)
class Sorted:
    """`fresh` stories in order; how many repeats of which known event, and of which fresh happening."""

    fresh: list[Story] = field(default_factory=list)
    repeats: Counter[int] = field(default_factory=Counter)  # event id -> more duplicates
    repeats_within: Counter[HappeningKey] = field(default_factory=Counter)  # fresh happening -> duplicates
    dropped: Counter[str] = field(default_factory=Counter)  # event name -> repeats
    again: dict[str, Told] = field(default_factory=dict)  # receipt -> what it tells again
    told_again: set[HappeningKey] = field(default_factory=set)  # known happenings


def sort_out(db: Database, stories: Iterable[Story]) -> Sorted:
    """Split stories into fresh ones and repeats. The same receipt twice is no repeat, only a retry of ours."""
    listed = list(stories)
    known = told_already(db, {key for story in listed for key in _candidates(story)})
    found = Sorted()
    for story in listed:
        match = _match(story, known)
        if match is None:
            told = Told(None, story.happening.received_at, story.hook["receipt"])
            known[story.store.id, story.happening.key] = told
            found.fresh.append(story)
            continue
        told = found.again[story.hook["receipt"]] = known[match]
        if told.receipt != story.hook["receipt"]:
            found.dropped[story.row.name] += 1
            if told.event_id is None:
                found.repeats_within[match] += 1
            else:
                found.repeats[told.event_id] += 1
                found.told_again.add(match)
    return found


def count_repeats(db: Database, repeats: Mapping[int, int]) -> None:
    """Add the repeats to their events, where the feed shows them."""
    event = table_of(tables.Event)
    if repeats:
        counted = update(event).where(event.c.id == bindparam("b_id"))
        rows = [{"b_id": event_id, "more": more} for event_id, more in sorted(repeats.items())]
        db.execute(counted.values(duplicates=event.c.duplicates + bindparam("more")), rows)


def _candidates(story: Story) -> list[HappeningKey]:
    return [(story.store.id, key) for key in story.happening.candidates()]


def _match(story: Story, known: Mapping[HappeningKey, Told]) -> HappeningKey | None:
    for key in _candidates(story):
        if key in known and story.happening.same_as(known[key].received_at):
            return key
    return None
