"""A recipient learned late: the gift's events that came before get their copies now.

Hooks may arrive out of order, so a shipment can be told before the order that says whose gift it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import exists, select

from pipeline.core.hooks import ValidHook
from pipeline.events.catalogue import EVENTS
from pipeline.fan_out.gifts import Subject
from pipeline.ledger.schema import core
from pipeline.ledger.sql.keyed import select_by_keys
from pipeline.ledger.sql.tables import chunks, get_table
from pipeline.recording.candidate import EventCandidate, build_candidate
from pipeline.recording.gifts import GiftIndex
from pipeline.recording.lookups import RecordingStore

_EVENTS_FOR_RECIPIENTS = tuple(row.name for row in EVENTS.values() if row.gift_copy)


def find_late_gift_events(
    conn: Database, gift_index: GiftIndex, candidates: Sequence[EventCandidate]
) -> list[EventCandidate]:
    """Stories of earlier events, each with only the recipient left to tell, in the order of the events."""
    stores = {story.store.id: story.store for story in candidates}
    found = [
        late
        for row in _load_earlier_events(conn, gift_index.new_subjects())
        if (late := _rebuild_candidate(row, stores[row.store_id], gift_index)) is not None
    ]
    return sorted(found, key=lambda story: story.event_id)


def _load_earlier_events(conn: Database, new_subjects: Iterable[tuple[int, Subject]]) -> Iterator[Any]:
    """Events of these subjects, each of a store, that no recipient has heard of."""
    event, link, cast = (get_table(model) for model in (core.Event, core.EventSubject, core.EventPerson))
    heard = exists().where(cast.c.event_id == event.c.id, cast.c.role == "gift_recipient")
    by = link.c.store_id, link.c.kind, link.c.subject_id
    ids = {
        row.event_id
        for row in select_by_keys(conn, (link.c.event_id,), by, ((one, *what) for one, what in new_subjects))
    }
    for part in chunks(sorted(ids)):
        yield from conn.execute(
            select(event).where(event.c.id.in_(part), event.c.name.in_(_EVENTS_FOR_RECIPIENTS), ~heard)
        )


def _rebuild_candidate(row: Any, store: RecordingStore, gift_index: GiftIndex) -> EventCandidate | None:
    hook = ValidHook(
        entry_id="",
        receipt=row.receipt,
        store=store.name,
        version=store.token_version,
        event=row.name,
        received_at=row.received_at,
        source=row.source,
        form=row.form,
        fingerprint=row.happening.rpartition("#")[2].partition("@")[0],
        decoded_at=row.decoded_at,
        validated_at=row.validated_at,
        data=row.data,
        unknown=[],
    )
    story = build_candidate(hook, store)
    story.event_id = row.id
    if story.silent:
        return None
    plan = story.build_plan(gift_index.of(store.id))
    recipients = tuple(one for one in plan.people if one.role == "gift_recipient")
    story.plan = replace(plan, people=recipients)
    return story if recipients else None
