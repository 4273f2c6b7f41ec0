"""Counts what a replay would send, and plans it: some events, messages or dead hooks at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.deliveries.stopped import STOPPED as MESSAGE_STOPPED
from pipeline.ledger.deliveries.withhold import WITHHELD
from pipeline.ledger.engine import writing
from pipeline.ledger.queries.activity_filter import ActivityFilter, Show, find_event_ids
from pipeline.ledger.queries.replays import (
    CandidateHook,
    CandidateMessage,
    count_withheld_copies,
    list_event_messages,
    list_named_hooks,
    list_own_events,
    list_refused_messages,
    list_waiting_hooks,
)
from pipeline.ledger.replays import (
    COUNTED,
    COUNTING,
    HOOKS_PHASE,
    MESSAGES_PHASE,
    ReplayRow,
    count_people,
    find_replay,
    insert_items,
    update_replay,
)

EVENTS_SLICE, ROWS_SLICE = 100, 200  # counted in one transaction
_US_PER_S = 1_000_000
_OPEN_STATES = ("pending", "sending")


class _Slice(NamedTuple):
    """What was looked at: figures to add, items to plan, and the cursor; None: there is nothing behind it."""

    counts: Counter[str]
    items: list[dict[str, Any]]
    cursor: int | None


def count_replay(engine: Engine, replay_id: int, now: Callable[[], int], *, until: int | None = None) -> bool:
    """Count until all is counted, or until a time (µs). Returns whether it is counted."""
    while True:
        with writing(engine) as conn:
            row = find_replay(conn, replay_id, locked=True)
            if row is None or row.state != COUNTING:
                return row is not None and row.state == COUNTED
            count_some(conn, row, now())
        if until is not None and now() >= until:
            return False


def count_some(conn: Connection, row: ReplayRow, now: int) -> None:
    """Count the next slice of a replay that the caller has locked."""
    found = _PHASES[row.phase](conn, row, now)
    insert_items(conn, row, found.items)
    counts = row.counts.plus(found.counts)
    if found.cursor is not None:
        update_replay(conn, row, counts=asdict(counts), cursor=found.cursor)
    elif row.phase == MESSAGES_PHASE and row.selection.has_hooks:
        update_replay(conn, row, counts=asdict(counts), phase=HOOKS_PHASE, cursor=0)
    else:
        counts = counts.plus({"people": count_people(conn, row.id)})
        update_replay(conn, row, counts=asdict(counts), phase=COUNTED, state=COUNTED, cursor=0)


def build_filter(row: ReplayRow) -> ActivityFilter:
    """The filter of the activity feed that finds the replay's events: none that came after it was asked for."""
    selection = row.selection
    return ActivityFilter(
        store_ids=(row.store_id,),
        show=cast("Show | None", selection.show),
        name=selection.name,
        source=selection.source,
        person_id=selection.person_id,
        subject=selection.subject,
        since=selection.since,
        until=_find_end(row),
    )


def _count_messages(conn: Connection, row: ReplayRow, now: int) -> _Slice:
    if row.selection.kind == "refused":
        refused = list_refused_messages(conn, row.store_id, until=_find_end(row), after=row.cursor, limit=ROWS_SLICE)
        return _plan_messages(row, refused, now, refused[-1].id if len(refused) == ROWS_SLICE else None)
    if row.selection.kind == "events":
        ids, cursor = list_own_events(conn, row.store_id, row.selection.event_ids), None
    else:
        ids = find_event_ids(conn, build_filter(row), after=row.cursor, limit=EVENTS_SLICE)
        cursor = ids[-1] if len(ids) == EVENTS_SLICE else None
    found = _plan_messages(row, list_event_messages(conn, ids) if ids else [], now, cursor)
    found.counts.update(events=len(ids), withheld=count_withheld_copies(conn, ids) if ids else 0)
    return found


def _plan_messages(row: ReplayRow, messages: Sequence[CandidateMessage], now: int, cursor: int | None) -> _Slice:
    counts: Counter[str] = Counter()
    items = []
    for message in messages:
        verdict = judge_message(message, delivers_again=row.delivers_again)
        counts[verdict] += 1
        if verdict == "messages":
            counts["repeats"] += message.status == "sent" and message.has_id
            counts["too_old"] += _is_too_old(message, now)
            items.append({"delivery_id": message.id, "event_id": message.event_id, "person_id": message.person_id})
    return _Slice(counts, items, cursor)


def judge_message(message: CandidateMessage, *, delivers_again: bool) -> str:
    """The figure of ReplayCounts that a message belongs to: `messages` if it will be sent."""
    if message.status in _OPEN_STATES:
        return "waiting"
    if message.status == "sent" and not delivers_again:
        return "arrived"
    if message.is_empty or message.status == MESSAGE_STOPPED:
        return "gone"
    if message.is_person_withheld or message.status == WITHHELD:
        return "withheld"
    return "messages"


def _is_too_old(message: CandidateMessage, now: int) -> bool:
    destination = DESTINATIONS.get(message.platform)
    limit = destination.campaign_age_s if destination else None
    return message.kind == "event" and limit is not None and message.at < now // _US_PER_S - limit


def _count_hooks(conn: Connection, row: ReplayRow, now: int) -> _Slice:
    selection = row.selection
    if selection.hook_ids:
        hooks, cursor = list_named_hooks(conn, row.store, selection.hook_ids), None
    else:
        hooks = list_waiting_hooks(
            conn, row.store, selection, asked_at=row.created_at, after=row.cursor, limit=ROWS_SLICE
        )
        cursor = hooks[-1].id if len(hooks) == ROWS_SLICE else None
    return _plan_hooks(hooks, now, cursor)


def _plan_hooks(hooks: Sequence[CandidateHook], now: int, cursor: int | None) -> _Slice:
    limits = [one.campaign_age_s for one in DESTINATIONS.values() if one.campaign_age_s is not None]
    oldest = now - min(limits) * _US_PER_S if limits else 0
    readable = [hook for hook in hooks if not hook.is_empty]
    counts = Counter(
        hooks=len(readable),
        old_hooks=sum(hook.received_at < oldest for hook in readable),
        gone=len(hooks) - len(readable),
    )
    return _Slice(counts, [{"dead_hook_id": hook.id} for hook in readable], cursor)


def _find_end(row: ReplayRow) -> int:
    """Until when (µs) it looks: never at what came after it was asked for."""
    until = row.selection.until
    return row.created_at if until is None else min(until, row.created_at)


_PHASES: dict[str, Callable[[Connection, ReplayRow, int], _Slice]] = {
    MESSAGES_PHASE: _count_messages,
    HOOKS_PHASE: _count_hooks,
}
