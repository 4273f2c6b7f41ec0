"""Tells new happenings from those the ledger, or this very batch, has been told already."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection as Database
from sqlalchemy import bindparam, update

from pipeline.ledger import tables
from pipeline.record.known import Told, table_of, told_already
from pipeline.record.story import Story


@dataclass(slots=True)
class Sorted:
    """`fresh` stories in order; how many repeats of which known event, and of which fresh happening."""

    fresh: list[Story] = field(default_factory=list)
    repeats: Counter[int] = field(default_factory=Counter)  # event id -> more duplicates
    repeats_within: Counter[tuple[int, str]] = field(default_factory=Counter)  # (store id, key) -> duplicates
    dropped: Counter[str] = field(default_factory=Counter)  # event name -> repeats
    again: dict[str, Told] = field(default_factory=dict)  # receipt -> what it tells again
    told_again: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # store id -> known keys


def sort_out(db: Database, stories: Iterable[Story]) -> Sorted:
    """Split stories into fresh ones and repeats. The same receipt twice is no repeat, only a retry of ours."""
    listed = list(stories)
    known = _known(db, listed)
    found = Sorted()
    for story in listed:
        store_id = story.store.id
        match = _match(story, known[store_id])
        if match is None:
            known[store_id][story.happening.key] = Told(None, story.happening.received_at, story.hook["receipt"])
            found.fresh.append(story)
            continue
        told = found.again[story.hook["receipt"]] = known[store_id][match]
        if told.receipt != story.hook["receipt"]:
            found.dropped[story.row.name] += 1
            if told.event_id is None:
                found.repeats_within[store_id, match] += 1
            else:
                found.repeats[told.event_id] += 1
                found.told_again[store_id].add(match)
    return found


def count_repeats(db: Database, repeats: Mapping[int, int]) -> None:
    """Add the repeats to their events, where the feed shows them."""
    event = table_of(tables.Event)
    if repeats:
        counted = update(event).where(event.c.id == bindparam("b_id"))
        rows = [{"b_id": event_id, "more": more} for event_id, more in sorted(repeats.items())]
        db.execute(counted.values(duplicates=event.c.duplicates + bindparam("more")), rows)


def _known(db: Database, stories: list[Story]) -> dict[int, dict[str, Told]]:
    keys: defaultdict[int, set[str]] = defaultdict(set)
    for story in stories:
        keys[story.store.id].update(story.happening.candidates())
    return {store_id: told_already(db, store_id, wanted) for store_id, wanted in keys.items()}


def _match(story: Story, known: Mapping[str, Told]) -> str | None:
    for key in story.happening.candidates():
        if key in known and story.happening.same_as(known[key].received_at):
            return key
    return None
