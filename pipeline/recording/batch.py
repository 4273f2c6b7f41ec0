"""Writes one batch of hooks into the ledger, in one transaction: events, people, gifts, deliveries and dead hooks.

The heart of "acked means kept" and "once means once": when this has committed, the inbox may forget the batch.
Everything here may run twice for the same hook; the second time changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Connection as Database

from pipeline.core.hooks import REPLAY, FailedHook, ValidHook, get_envelope
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.observed_events import mark_late
from pipeline.recording.candidate import EventCandidate, build_candidate
from pipeline.recording.dead_letters import RawBody, mark_replayed, store_dead_letters
from pipeline.recording.dedup import DedupResult, deduplicate, save_repeat_counts
from pipeline.recording.deliveries import DeliveryBuilder, DeliveryRow, write_deliveries
from pipeline.recording.event_people import resolve_people
from pipeline.recording.events import write_event_people, write_events
from pipeline.recording.gifts import GiftIndex
from pipeline.recording.heartbeats import extract_heartbeats
from pipeline.recording.late_gifts import find_late_gift_events
from pipeline.recording.lookups import RecordingStore, find_existing_profiles, load_stores_by_name
from pipeline.recording.probes import extract_canaries

AroundHook = Callable[[ValidHook], AbstractContextManager[None]]  # what is thought about one hook is done in it


def _no_context(_hook: ValidHook) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch."""

    events: int
    duplicates: int
    dead: int
    deliveries: int
    connections: tuple[int, ...]  # whose lanes have something to do now
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, outcome) -> how many
    dead_by_reason: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (link, reason) -> how many
    ids: Mapping[str, int] = field(default_factory=dict)  # receipt -> the event it became
    repeats: Mapping[str, int] = field(default_factory=dict)  # receipt -> the event it tells again
    dead_reasons: Mapping[str, str] = field(default_factory=dict)  # receipt -> reason


def record_batch(  # noqa: PLR0913 what is written, for whom, and who watches
    conn: Database,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raw_bodies: Mapping[str, RawBody],
    *,
    token: int | None,
    now: int,
    around_hook: AroundHook = _no_context,
) -> BatchResult:
    """Record a batch inside the caller's transaction. `token` fences the inbox's holder; None: the caller
    sees to it that nobody else records meanwhile.

    Raises StaleFence if a newer holder of the inbox has been here.
    """
    if token is not None:
        advance_fence(conn, "inbox", token)
    hooks, failed = extract_heartbeats(conn, hooks, failed, now)
    hooks, failed = extract_canaries(conn, hooks, failed, raw_bodies, now)
    stores = load_stores_by_name(conn, {one["store"] for one in (*hooks, *failed)})
    stories, refused = _admit_hooks(hooks, stores, around_hook)
    died = [*failed, *refused]
    dead = store_dead_letters(conn, died, raw_bodies, stores, now)
    told = deduplicate(conn, stories)
    save_repeat_counts(conn, told.repeats)
    mark_late(conn, told.repeated_keys)
    rows = _record_new(conn, told, raw_bodies, now, around_hook) if told.fresh else []
    mark_replayed(conn, [story.hook["receipt"] for story in stories if story.hook["source"] == REPLAY], now)
    ids = {story.hook["receipt"]: story.event_id for story in told.fresh}
    return BatchResult(
        len(told.fresh),
        told.repeats_by_event.total(),
        dead,
        len(rows),
        tuple(sorted({row["connection_id"] for row in rows})),
        _count_outcomes(told, died),
        Counter((one["stage"], one["reason"]) for one in died),
        ids,
        {receipt: again.event_id or ids[again.receipt] for receipt, again in told.again.items()},
        {one["receipt"]: one["reason"] for one in died},
    )


def _admit_hooks(
    hooks: Sequence[ValidHook], stores: Mapping[str, RecordingStore], around_hook: AroundHook
) -> tuple[list[EventCandidate], list[FailedHook]]:
    """Only hooks of stores we have, through URLs that are still theirs."""
    stories: list[EventCandidate] = []
    refused: list[FailedHook] = []
    for hook in hooks:
        store = stores.get(hook["store"])
        if store is None:
            refused.append(_build_refusal(hook, "unknown_store"))
        elif not store.accepts(hook["version"], hook["received_at"]):
            refused.append(_build_refusal(hook, "token_revoked"))
        else:
            with around_hook(hook):
                story = build_candidate(hook, store)
            stories.append(story)
    return stories, refused


def _count_outcomes(dedup: DedupResult, died: Sequence[FailedHook]) -> Counter[tuple[str, str]]:
    fresh = Counter((story.row.name, story.outcome) for story in dedup.fresh)
    repeats = Counter({(name, "duplicate"): times for name, times in dedup.repeats_by_event.items()})
    return fresh + repeats + Counter((one["event"], "dead") for one in died)


def _build_refusal(hook: ValidHook, reason: str) -> FailedHook:
    return FailedHook(**get_envelope(hook), stage="fan_out", reason=reason, detail={})


def _record_new(
    conn: Database, dedup: DedupResult, raw_bodies: Mapping[str, RawBody], now: int, around_hook: AroundHook
) -> list[DeliveryRow]:
    stories = dedup.fresh
    memory = GiftIndex(conn, stories)
    for story in stories:
        if not story.silent:
            with around_hook(story.hook):
                story.plan = story.build_plan(memory.of(story.store.id))
    late = find_late_gift_events(conn, memory, stories)
    everybody = [*stories, *late]
    book = resolve_people(conn, everybody, now)
    write_events(conn, dedup, raw_bodies, now)
    mailroom = DeliveryBuilder(
        find_existing_profiles(conn, {someone.id for story in everybody for _, someone in story.resolved_people}), now
    )
    rows = mailroom.rows(everybody)
    write_event_people(conn, everybody)
    memory.write()
    book.write_changes()
    write_deliveries(conn, rows)
    return rows
