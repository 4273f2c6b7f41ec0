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

from pipeline.ledger.shown import note_late
from pipeline.model import REPLAY, FailedHook, ValidHook, head_of
from pipeline.record.canary import take_canaries
from pipeline.record.casting import cast_stories
from pipeline.record.dead import Raw, bury, revive
from pipeline.record.duplicates import Sorted, count_repeats, sort_out
from pipeline.record.events import write_casts, write_events
from pipeline.record.fence import pass_fence
from pipeline.record.gift_memory import GiftMemory
from pipeline.record.heartbeat import take_heartbeats
from pipeline.record.known import StoreRow, profiled, stores_by_name
from pipeline.record.late_gifts import late_copies
from pipeline.record.messages import Mailroom, Row, write_deliveries
from pipeline.record.story import Story, story_of

Watched = Callable[[ValidHook], AbstractContextManager[None]]  # what is thought about one hook is done in it


def _unwatched(_hook: ValidHook) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch."""

    events: int
    duplicates: int
    dead: int
    deliveries: int
    connections: tuple[int, ...]  # whose lanes have something to do now
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (event, outcome) -> how many
    deaths: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (link, reason) -> how many
    ids: Mapping[str, int] = field(default_factory=dict)  # receipt -> the event it became
    repeats: Mapping[str, int] = field(default_factory=dict)  # receipt -> the event it tells again
    died: Mapping[str, str] = field(default_factory=dict)  # receipt -> reason


def record_batch(  # noqa: PLR0913 what is written, for whom, and who watches
    db: Database,
    hooks: Sequence[ValidHook],
    failed: Sequence[FailedHook],
    raws: Mapping[str, Raw],
    *,
    token: int | None,
    now: int,
    watched: Watched = _unwatched,
) -> Recorded:
    """Record a batch inside the caller's transaction. `token` fences the inbox's holder; None: the caller
    sees to it that nobody else records meanwhile.

    Raises StaleFence if a newer holder of the inbox has been here.
    """
    if token is not None:
        pass_fence(db, "inbox", token)
    hooks, failed = take_heartbeats(db, hooks, failed, now)
    hooks, failed = take_canaries(db, hooks, failed, raws, now)
    stores = stores_by_name(db, {one["store"] for one in (*hooks, *failed)})
    stories, refused = _admit(hooks, stores, watched)
    died = [*failed, *refused]
    dead = bury(db, died, raws, stores, now)
    told = sort_out(db, stories)
    count_repeats(db, told.repeats)
    note_late(db, told.told_again)
    rows = _record(db, told, raws, now, watched) if told.fresh else []
    revive(db, [story.hook["receipt"] for story in stories if story.hook["source"] == REPLAY], now)
    ids = {story.hook["receipt"]: story.event_id for story in told.fresh}
    return Recorded(
        len(told.fresh),
        told.dropped.total(),
        dead,
        len(rows),
        tuple(sorted({row["connection_id"] for row in rows})),
        _outcomes(told, died),
        Counter((one["stage"], one["reason"]) for one in died),
        ids,
        {receipt: again.event_id or ids[again.receipt] for receipt, again in told.again.items()},
        {one["receipt"]: one["reason"] for one in died},
    )


def _admit(
    hooks: Sequence[ValidHook], stores: Mapping[str, StoreRow], watched: Watched
) -> tuple[list[Story], list[FailedHook]]:
    """Only hooks of stores we have, through URLs that are still theirs."""
    stories: list[Story] = []
    refused: list[FailedHook] = []
    for hook in hooks:
        store = stores.get(hook["store"])
        if store is None:
            refused.append(_refused(hook, "unknown_store"))
        elif not store.takes(hook["version"], hook["received_at"]):
            refused.append(_refused(hook, "token_revoked"))
        else:
            with watched(hook):
                story = story_of(hook, store)
            stories.append(story)
    return stories, refused


def _outcomes(told: Sorted, died: Sequence[FailedHook]) -> Counter[tuple[str, str]]:
    fresh = Counter((story.row.name, story.outcome) for story in told.fresh)
    repeats = Counter({(name, "duplicate"): times for name, times in told.dropped.items()})
    return fresh + repeats + Counter((one["event"], "dead") for one in died)


def _refused(hook: ValidHook, reason: str) -> FailedHook:
    return FailedHook(**head_of(hook), stage="fan_out", reason=reason, detail={})


def _record(db: Database, told: Sorted, raws: Mapping[str, Raw], now: int, watched: Watched) -> list[Row]:
    stories = told.fresh
    memory = GiftMemory(db, stories)
    for story in stories:
        if not story.silent:
            with watched(story.hook):
                story.plan = story.planned(memory.of(story.store.id))
    late = late_copies(db, memory, stories)
    everybody = [*stories, *late]
    book = cast_stories(db, everybody, now)
    write_events(db, told, raws, now)
    mailroom = Mailroom(profiled(db, {someone.id for story in everybody for _, someone in story.cast}), now)
    rows = mailroom.rows(everybody)
    write_casts(db, everybody)
    memory.write()
    book.write_changes()
    write_deliveries(db, rows)
    return rows
