"""Writes the event rows of a batch: the event, its raw bytes, its subjects and whom it concerned."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Database

from pipeline.core.hooks import ValidHook
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk_upsert import upsert
from pipeline.ledger.sql.insert import insert_returning_ids, insert_rows
from pipeline.ledger.sql.tables import get_table
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.dead_letters import RawBody
from pipeline.recording.dedup import DedupResult
from pipeline.recording.deliveries import event_ulid

MAX_FIELD_NOTES = 50  # fields of one event; whoever sent them can have made up any number


def write_events(conn: Database, dedup: DedupResult, raw_bodies: Mapping[str, RawBody], now: int) -> None:
    """Insert the fresh stories' events and give each story its event id."""
    rows = [
        _build_row(story, dedup.repeats_in_batch[story.store.id, story.happening.key], now) for story in dedup.fresh
    ]
    for story, event_id in zip(dedup.fresh, insert_returning_ids(conn, get_table(core.Event), rows), strict=True):
        story.event_id = event_id
    bodies = [
        {"event_id": story.event_id, "raw": zlib.compress(_wire_bytes(raw_bodies.get(story.hook["entry_id"])), 1)}
        for story in dedup.fresh
    ]
    insert_rows(conn, get_table(core.Body), bodies)
    subjects = [
        {"event_id": story.event_id, "kind": kind, "subject_id": number, "store_id": story.store.id}
        for story in dedup.fresh
        for kind, number in (story.plan.subjects if story.plan else ())
    ]
    insert_rows(conn, get_table(core.EventSubject), subjects)


def write_event_people(conn: Database, candidates: Sequence[EventCandidate]) -> None:
    """Who each event concerned, and why somebody got no message."""
    rows = [
        {
            "event_id": story.event_id,
            "person_id": someone.id,
            "role": concerned.role,
            "reason": None if someone.email else "email_malformed" if concerned.has_malformed_email else "no_email",
        }
        for story in candidates
        for concerned, someone in story.resolved_people
    ]
    upsert(conn, get_table(core.EventPerson), rows, update_columns=())


def _build_row(candidate: EventCandidate, repeats: int, now: int) -> dict[str, Any]:
    hook, plan = candidate.hook, candidate.plan
    return {
        "store_id": candidate.store.id,
        "name": candidate.row.name,
        "happening": candidate.happening.key,
        "ulid": event_ulid(candidate.store, candidate.happening),
        "receipt": hook["receipt"],
        "source": hook["source"],
        "subject": candidate.row.subject,
        "subject_id": plan.subject_id if plan else None,
        "form": hook["form"],
        "is_test": plan.is_test if plan else candidate.silent,
        "outcome": candidate.outcome,
        "notes": [*(plan.notes if plan else ()), *_missing_recipient_notes(candidate), *_unreadable_field_notes(hook)],
        "data": hook["data"],
        "unknown": hook["unknown"],
        "duplicates": repeats,
        "occurred_at": candidate.happening.occurred_at,
        "received_at": hook["received_at"],
        "decoded_at": hook["decoded_at"],
        "validated_at": hook["validated_at"],
        "recorded_at": now,
    }


def _unreadable_field_notes(hook: ValidHook) -> list[dict[str, Any]]:
    """The fields that could not be read, and why: never what stood there."""
    aside = hook.get("aside", {})
    shown = [
        {"code": "field_set_aside", "field": path, "reason": aside[path]} for path in list(aside)[:MAX_FIELD_NOTES]
    ]
    more = len(aside) - len(shown)
    return [*shown, *([{"code": "field_set_aside", "more": more}] if more else [])]


def _missing_recipient_notes(candidate: EventCandidate) -> list[dict[str, Any]]:
    """Why somebody this event concerns gets no message."""
    nameless = len(candidate.people) - len(candidate.resolved_people)
    silent = [{"code": "no_email", "role": one.role} for one, someone in candidate.resolved_people if not someone.email]
    return [*silent, *([{"code": "customer_missing"}] if nameless else [])]


def _wire_bytes(raw: RawBody | None) -> bytes:
    """What was on the wire: the body, or the query string of a GET hook."""
    if raw is None:
        return b""
    body, query = raw
    return body or (query or "").encode()
