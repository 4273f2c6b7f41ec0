"""Plans what a batch writes, from what was loaded. Pure: no SQL, no clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.hooks import REPLAY, FailedHook, RawBody
from pipeline.ledger.counts.keys import CountKey
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.counts import count_batch
from pipeline.recording.dead_letters import DeadLetterPlan, plan_dead_letters
from pipeline.recording.dedup import DedupResult, Repeat
from pipeline.recording.deliveries import DeliveryDraft, plan_deliveries
from pipeline.recording.events import EventDraft, EventPersonDraft, plan_event_people, plan_events
from pipeline.recording.gifts import GiftIndex
from pipeline.recording.lookups import KnownLookup, LookupDraft, LookupKey, plan_found_notes, plan_lookups
from pipeline.recording.people import PersonResolver
from pipeline.recording.snapshot import EventKey, RecordingStore, StoredDeadLetter, WaitingDeadHook
from pipeline.redaction.identity import LearnedHash


@dataclass(frozen=True, slots=True)
class LoadedBatch:
    """All that the ledger knows of a batch, and what follows from it: candidates, repeats, gifts and people."""

    heartbeat_sent_at: int | None
    canaries: Collection[str]  # nonces of those that arrived
    stores: Mapping[str, RecordingStore]
    died: Sequence[FailedHook]  # failed on the way, or refused
    dead_letters: Mapping[str, Sequence[StoredDeadLetter]]  # of revoked URLs, by store
    candidates: Sequence[EventCandidate]
    dedup: DedupResult
    gifts: GiftIndex
    late: Sequence[EventCandidate]  # earlier events whose gift recipient is known only now
    people: PersonResolver
    recognised: Mapping[int, int] = field(default_factory=dict)  # regulation id -> hooks that name its person
    learned_hashes: Sequence[LearnedHash] = ()  # of what else leads to suppressed people
    waiting_dead_hooks: Mapping[str, WaitingDeadHook] = field(default_factory=dict)  # by receipt
    lookups: Sequence[LookupDraft] = ()  # what the events lack and their stores' APIs may know
    known_lookups: Mapping[LookupKey, KnownLookup] = field(default_factory=dict)
    waiting: Sequence[EventCandidate] = ()  # earlier events of people whose origin is known only now


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """All that is written, in the order in which `write_batch` writes it."""

    people: PersonResolver
    deliveries: Sequence[DeliveryDraft]
    gifts: Sequence[dict[str, Any]] = ()
    event_people: Sequence[EventPersonDraft] = ()
    events: Sequence[EventDraft] = ()
    repeats: Mapping[int, int] = field(default_factory=dict)  # event id -> further duplicates
    repeated_keys: Collection[EventKey] = ()
    repeat_hooks: Sequence[Repeat] = ()
    dead_letters: DeadLetterPlan = field(default_factory=DeadLetterPlan)
    replayed: Sequence[str] = ()  # receipts of dead hooks that are events now
    heartbeat_sent_at: int | None = None
    canaries: Collection[str] = ()
    recognised: Mapping[int, int] = field(default_factory=dict)
    learned_hashes: Sequence[LearnedHash] = ()
    lookups: Sequence[dict[str, Any]] = ()
    changed_notes: Mapping[int, list[dict[str, Any]]] = field(default_factory=dict)  # by id of an earlier event
    counts: Mapping[CountKey, int] = field(default_factory=dict)  # what changes in the kept counts
    sent_after_all: Sequence[EventCandidate] = ()  # earlier events of which a copy was withheld until now


def resolve_people(candidates: Iterable[EventCandidate], people: PersonResolver) -> None:
    """Find or add the people whom each candidate affects."""
    for candidate in candidates:
        found = ((affected, people.find(candidate.store, affected)) for affected in candidate.people)
        candidate.resolved_people = [(affected, person) for affected, person in found if person is not None]


def find_replayed(candidates: Iterable[EventCandidate]) -> list[str]:
    """The receipts of dead hooks that are candidates again."""
    return [candidate.hook["receipt"] for candidate in candidates if candidate.hook["source"] == REPLAY]


def plan_batch(loaded: LoadedBatch, raw_bodies: Mapping[str, RawBody], now: int) -> BatchPlan:
    """The rows that record a batch. Merges the batch's facts into its people."""
    planned = [*loaded.dedup.fresh, *loaded.late]
    lookups = plan_lookups(loaded.lookups, loaded.known_lookups, now)
    events = plan_events(loaded.dedup, raw_bodies, now)
    deliveries = plan_deliveries([*loaded.waiting, *planned])
    dead_letters = plan_dead_letters(loaded.died, raw_bodies, loaded.stores, loaded.dead_letters, now)
    replayed = find_replayed(loaded.candidates)
    return BatchPlan(
        people=loaded.people,
        deliveries=deliveries,
        gifts=loaded.gifts.build_rows(),
        event_people=plan_event_people(planned),
        events=events,
        repeats=loaded.dedup.repeats,
        repeated_keys=loaded.dedup.repeated_keys,
        repeat_hooks=loaded.dedup.repeat_hooks,
        dead_letters=dead_letters,
        replayed=replayed,
        counts=count_batch(events, loaded.dedup.repeat_hooks, dead_letters.rows, replayed, loaded.waiting_dead_hooks),
        heartbeat_sent_at=loaded.heartbeat_sent_at,
        canaries=loaded.canaries,
        recognised=loaded.recognised,
        learned_hashes=loaded.learned_hashes,
        lookups=lookups,
        changed_notes=plan_found_notes(loaded.late),
        sent_after_all=loaded.waiting,
    )
