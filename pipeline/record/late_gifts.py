"""A recipient learned late: the gift's events that came before get their copies now.

Hooks may arrive out of order, so a shipment can be told before the order that says whose gift it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import exists, select

from pipeline.events.table import EVENTS
from pipeline.fan_out.gifts import Subject
from pipeline.ledger import tables
from pipeline.model import ValidHook
from pipeline.record.by_keys import rows_by
from pipeline.record.gift_memory import GiftMemory
from pipeline.record.known import StoreRow, chunks, table_of
from pipeline.record.story import Story, story_of

_COPIED = tuple(row.name for row in EVENTS.values() if row.gift_copy)


def late_copies(db: Database, memory: GiftMemory, stories: Sequence[Story]) -> list[Story]:
    """Stories of earlier events, each with only the recipient left to tell, in the order of the events."""
    stores = {story.store.id: story.store for story in stories}
    found = [
        late
        for row in _earlier(db, memory.learned())
        if (late := _retold(row, stores[row.store_id], memory)) is not None
    ]
    return sorted(found, key=lambda story: story.event_id)


def _earlier(db: Database, learned: Iterable[tuple[int, Subject]]) -> Iterator[Any]:
    """Events of these subjects, each of a store, that no recipient has heard of."""
    event, link, cast = (table_of(model) for model in (tables.Event, tables.EventSubject, tables.EventPerson))
    heard = exists().where(cast.c.event_id == event.c.id, cast.c.role == "gift_recipient")
    by = link.c.store_id, link.c.kind, link.c.subject_id
    ids = {row.event_id for row in rows_by(db, (link.c.event_id,), by, ((one, *what) for one, what in learned))}
    for part in chunks(sorted(ids)):
        yield from db.execute(select(event).where(event.c.id.in_(part), event.c.name.in_(_COPIED), ~heard))


def _retold(row: Any, store: StoreRow, memory: GiftMemory) -> Story | None:
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
    story = story_of(hook, store)
    story.event_id = row.id
    if story.silent:
        return None
    plan = story.planned(memory.of(store.id))
    recipients = tuple(one for one in plan.people if one.role == "gift_recipient")
    story.plan = replace(plan, people=recipients)
    return story if recipients else None
