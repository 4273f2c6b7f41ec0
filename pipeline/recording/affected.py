"""Finds the people whom planned events affect, judges them, and finds earlier events that reach one of them only now.

Hooks and pages of the API take the same steps here. Each reads what the step before has led to: new gifts lead to
earlier events, these and the planned ones to people, and people whose origin is known now to events that waited.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.recording import load
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.consent import build_rules, judge_candidates, learn_sources, note_gifts
from pipeline.recording.gifts import GiftIndex, plan_late_copies
from pipeline.recording.people import PersonResolver
from pipeline.recording.release import load_waiting_copies
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.waiting import find_freed_people


@dataclass(frozen=True, slots=True)
class Affected:
    """The people whom planned events affect, judged, and the earlier events that reach one of them only now."""

    people: PersonResolver
    late: Sequence[EventCandidate]  # whose gift recipient is known only now
    waiting: Sequence[EventCandidate]  # of people whose origin is known only now


def load_affected(
    conn: Connection, stores: Collection[RecordingStore], candidates: Sequence[EventCandidate], gifts: GiftIndex
) -> Affected:
    """Resolve and judge the people of planned candidates of these stores, whose gifts are in `gifts`."""
    earlier_events = load.load_earlier_events(conn, gifts.new_subjects())
    late = plan_late_copies(earlier_events, {store.id: store for store in stores}, gifts)
    planned = [*candidates, *late]
    rules = build_rules(stores, learn_sources(planned))
    note_gifts(planned, rules)
    people = load.load_people(conn, planned)
    load.remove_copies_of_buyers(conn, late)
    judge_candidates(planned, people, rules)
    freed = find_freed_people(people)
    return Affected(people, late, load_waiting_copies(conn, freed, rules) if freed else [])
