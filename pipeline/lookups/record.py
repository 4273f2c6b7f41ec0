"""Records the answer to a look-up: as facts, profiles and late copies in the usual way, and in the look-up's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.events.notes import RECIPIENT_NOT_FOUND
from pipeline.ledger.lookups import (
    LookupRow,
    Subject,
    has_gift,
    list_same_instance,
    load_event_notes,
    settle_lookups,
    update_lookup,
)
from pipeline.ledger.stores import get_store
from pipeline.ledger.survey_questions import assign_slugs
from pipeline.lookups.ask import RESOURCES, Answer, read_subjects
from pipeline.recording.api_page import ApiPage, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from pipeline.recording.lookups import FOUND, GIFT_KINDS, NOTHING, SURVEY, VARIANTS, settle_search
from pipeline.recording.snapshot import RecordingStore
from pipeline.recording.write import write_notes

MAX_SAME_INSTANCE = 100  # look-ups that one answer settles in one transaction
READING = "lookup"  # what marks the facts of an object: no collection is being read

Ended = list[tuple[str, str]]  # (kind, state) of the look-ups that ended


@dataclass(frozen=True, slots=True)
class Recorded:
    """When an answer was asked for and is recorded (µs), and the keys by which suppressed people are recognised."""

    asked_at: int
    now: int
    secret_keys: Sequence[str] = field(default=(), repr=False)


def record_answer(conn: Connection, row: LookupRow, answer: Answer, how: Recorded) -> Ended:
    """Record an answer inside the caller's transaction; returns the look-ups that it ended.

    Raises Misconfigured if the store is gone, or as `record_api_page` does.
    """
    recorder = _Recorder(conn, _load_store(conn, row.store_id), row, how)
    if row.kind == SURVEY:
        return recorder.record_survey(answer)
    return recorder.record_variants(answer) if row.kind == VARIANTS else recorder.record_gift(answer)


def _load_store(conn: Connection, store_id: int) -> RecordingStore:
    row = get_store(conn, store_id)
    stores = load_stores_by_name(conn, [row.name]) if row else {}
    if not stores:
        raise Misconfigured(f"there is no store {store_id}")
    return next(iter(stores.values()))


class _Recorder:
    """One answer, with all that is needed to write it."""

    def __init__(self, conn: Connection, store: RecordingStore, row: LookupRow, how: Recorded) -> None:
        self._conn = conn
        self._store = store
        self._row = row
        self._asked_at = how.asked_at
        self._now = how.now
        self._secret_keys = how.secret_keys

    def record_survey(self, answer: Answer) -> Ended:
        surveys = [
            {**survey, "answers": assign_slugs(self._conn, self._store.id, survey["answers"], self._now)}
            for survey in answer.objects
        ]
        self._record(answer.resource, surveys)
        return self._end([self._row], found=answer.found)

    def record_variants(self, answer: Answer) -> Ended:
        """One product instance is that of many subscriptions."""
        if (about := answer.trail.get("about")) is not None:
            update_lookup(self._conn, self._row, about=about, attempts=0)
            return []
        others = list_same_instance(self._conn, self._row, MAX_SAME_INSTANCE) if self._row.about is not None else []
        rows = [self._row, *others]
        self._record(answer.resource, [{**shown, "id": row.subject_id} for shown in answer.objects for row in rows])
        return self._end(rows, found=answer.found)

    def record_gift(self, answer: Answer) -> Ended:
        """Record what was asked, and go on until the recipient is known or nothing is left to ask."""
        self._record(answer.resource, answer.objects)
        asked, following = read_subjects(answer.trail["asked"]), read_subjects(answer.trail["next"])
        if has_gift(self._conn, self._store.id, on_the_way := [*asked, *following]):
            self._pass_on(on_the_way)
            return self._end([self._row], found=True)
        if following:
            update_lookup(self._conn, self._row, trail=answer.trail, attempts=0, asked_at=self._asked_at, reason=None)
            return []
        keys = [(GIFT_KINDS[kind], number) for kind, number in asked if kind in GIFT_KINDS]
        settle_lookups(self._conn, self._store.id, keys, NOTHING, self._now)
        notes = load_event_notes(self._conn, self._store.id, asked)
        settled = {event_id: settle_search(earlier, RECIPIENT_NOT_FOUND) for event_id, earlier in notes.items()}
        write_notes(self._conn, {event_id: now for event_id, now in settled.items() if now is not None})
        return self._end([self._row], found=False)

    def _pass_on(self, asked: Sequence[Subject]) -> None:
        """Let the gift itself know its recipient, whichever of the objects on the way named them."""
        kind, number = asked[0]
        if not has_gift(self._conn, self._store.id, [(kind, number)]):
            self._record(RESOURCES[kind], [_build_gift(kind, number, asked[1:])])

    def _record(self, resource: str, objects: Sequence[dict[str, Any]]) -> None:
        """Profiles leave at once. Those that a backfill has asked for leave behind what hooks cause."""
        if objects:
            priority = LIVE_PRIORITY if self._row.is_live else BACKFILL_PRIORITY
            page = ApiPage(resource, objects, self._asked_at, READING, sends_profiles=True, priority=priority)
            record_api_page(self._conn, self._store, page, self._now, self._secret_keys)

    def _end(self, rows: Sequence[LookupRow], *, found: bool) -> Ended:
        state = FOUND if found else NOTHING
        changed = {"state": state, "asked_at": self._asked_at, "reason": None, "attempts": 0}
        for row in rows:
            update_lookup(self._conn, row, **changed)
        return [(row.kind, state) for row in rows]


def _build_gift(kind: str, number: int, others: Sequence[Subject]) -> dict[str, Any]:
    """The gift as an object that names what belongs to it."""
    subscriptions = [other for of, other in others if of == "subscription"]
    orders = [other for of, other in others if of == "order"]
    if kind == "order":
        return {"id": number, "is_gift": True, "subscriptions": [{"id": other} for other in subscriptions]}
    if kind == "subscription":
        return {"id": number, "order": {"id": orders[0], "is_gift": True} if orders else None}
    boxes = [{"subscription_id": other} for other in subscriptions]
    return {"id": number, "is_gift": True, "fulfillments": [*boxes, *({"order": {"id": other}} for other in orders)]}
