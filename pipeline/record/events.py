"""Writes the event rows of a batch: the event, its raw bytes, its subjects and whom it concerned."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Database

from pipeline.ledger import tables
from pipeline.model import ValidHook
from pipeline.record.dead import Raw
from pipeline.record.duplicates import Sorted
from pipeline.record.known import table_of
from pipeline.record.messages import event_ulid
from pipeline.record.numbered import insert_all, insert_numbered
from pipeline.record.story import Story
from pipeline.record.upsert import upsert

MOST_SHOWN = 50  # fields of one event; whoever sent them can have made up any number


def write_events(db: Database, told: Sorted, raws: Mapping[str, Raw], now: int) -> None:
    """Insert the fresh stories' events and give each story its event id."""
    rows = [_row(story, told.repeats_within[story.store.id, story.happening.key], now) for story in told.fresh]
    for story, event_id in zip(told.fresh, insert_numbered(db, table_of(tables.Event), rows), strict=True):
        story.event_id = event_id
    bodies = [
        {"event_id": story.event_id, "raw": zlib.compress(_bytes_of(raws.get(story.hook["entry_id"])), 1)}
        for story in told.fresh
    ]
    insert_all(db, table_of(tables.Body), bodies)
    subjects = [
        {"event_id": story.event_id, "kind": kind, "subject_id": number, "store_id": story.store.id}
        for story in told.fresh
        for kind, number in (story.plan.subjects if story.plan else ())
    ]
    insert_all(db, table_of(tables.EventSubject), subjects)


def write_casts(db: Database, stories: Sequence[Story]) -> None:
    """Who each event concerned, and why somebody got no message."""
    rows = [
        {
            "event_id": story.event_id,
            "person_id": someone.id,
            "role": concerned.role,
            "reason": None if someone.email else "email_malformed" if concerned.malformed else "no_email",
        }
        for story in stories
        for concerned, someone in story.cast
    ]
    upsert(db, table_of(tables.EventPerson), rows, update=())


def _row(story: Story, repeats: int, now: int) -> dict[str, Any]:
    hook, plan = story.hook, story.plan
    return {
        "store_id": story.store.id,
        "name": story.row.name,
        "happening": story.happening.key,
        "ulid": event_ulid(story.store, story.happening),
        "receipt": hook["receipt"],
        "source": hook["source"],
        "subject": story.row.subject,
        "subject_id": plan.subject_id if plan else None,
        "form": hook["form"],
        "is_test": plan.is_test if plan else story.silent,
        "outcome": story.outcome,
        "notes": [*(plan.notes if plan else ()), *_unheard(story), *_set_aside(hook)],
        "data": hook["data"],
        "unknown": hook["unknown"],
        "duplicates": repeats,
        "occurred_at": story.happening.occurred_at,
        "received_at": hook["received_at"],
        "decoded_at": hook["decoded_at"],
        "validated_at": hook["validated_at"],
        "recorded_at": now,
    }


def _set_aside(hook: ValidHook) -> list[dict[str, Any]]:
    """The fields that could not be read, and why: never what stood there."""
    aside = hook.get("aside", {})
    shown = [{"code": "field_set_aside", "field": path, "reason": aside[path]} for path in list(aside)[:MOST_SHOWN]]
    more = len(aside) - len(shown)
    return [*shown, *([{"code": "field_set_aside", "more": more}] if more else [])]


def _unheard(story: Story) -> list[dict[str, Any]]:
    """Why somebody this event concerns gets no message."""
    nameless = len(story.people) - len(story.cast)
    silent = [{"code": "no_email", "role": one.role} for one, someone in story.cast if not someone.email]
    return [*silent, *([{"code": "customer_missing"}] if nameless else [])]


def _bytes_of(raw: Raw | None) -> bytes:
    """What was on the wire: the body, or the query string of a GET hook."""
    if raw is None:
        return b""
    body, query = raw
    return body or (query or "").encode()
