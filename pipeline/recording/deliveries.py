"""Turns recorded stories into deliveries: per person and connection, a profile where it changed, then the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Database

from pipeline.events.fields import US_PER_SECOND
from pipeline.events.identity import EventIdentity, build_message_id
from pipeline.fan_out.plan import AffectedPerson
from pipeline.ledger.deliveries import promote_to_live
from pipeline.ledger.deliveries.status import LIVE_PRIORITY
from pipeline.ledger.schema import core
from pipeline.ledger.sql.bulk_upsert import upsert
from pipeline.ledger.sql.tables import chunks, get_table
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.lookups import RecordingStore
from pipeline.recording.people import PersonDraft

DeliveryRow = dict[str, Any]


@dataclass(slots=True)
class DeliveryBuilder:
    """Makes delivery rows in the order in which things were told. `profiled` grows as profiles are made."""

    has_profile: set[tuple[int, int]]
    now: int
    priority: int = LIVE_PRIORITY

    def rows(self, candidates: Iterable[EventCandidate]) -> list[DeliveryRow]:
        """The deliveries of these stories. People learn on the way, so each profile is of its moment."""
        return [row for story in candidates for row in self._build_for_event(story)]

    def copy(self, candidate: EventCandidate, affected: AffectedPerson, person: PersonDraft) -> Iterator[DeliveryRow]:
        """The deliveries of one event for one person: the profile first."""
        news = person.update_attributes(affected.facts, candidate.happening.received_at)
        if person.email is None:
            return
        for connection_id, lanes in candidate.store.connections:
            lane = person.id % lanes
            if news is not None or (connection_id, person.id) not in self.has_profile:
                self.has_profile.add((connection_id, person.id))
                yield self._profile_row(candidate, person, news or person.attributes, connection_id, lane)
            if candidate.forwarded:
                yield self._event_row(candidate, affected, person, connection_id, lane)

    def _build_for_event(self, candidate: EventCandidate) -> Iterator[DeliveryRow]:
        heard: set[int] = set()
        for concerned, someone in candidate.resolved_people:
            if someone.id not in heard:  # a recipient who turns out to be the buyer hears once
                yield from self.copy(candidate, concerned, someone)
            heard.add(someone.id)

    def _profile_row(
        self, candidate: EventCandidate, person: PersonDraft, data: DeliveryRow, connection_id: int, lane: int
    ) -> DeliveryRow:
        at = person.known_at // US_PER_SECOND
        return self._row(candidate, person, connection_id, lane) | {
            "kind": "profile",
            "name": None,
            "message_id": None,
            "message": _build_message(person, at, data),
        }

    def _event_row(
        self, candidate: EventCandidate, affected: AffectedPerson, person: PersonDraft, connection_id: int, lane: int
    ) -> DeliveryRow:
        email = affected.email if affected.role == "gift_recipient" else None
        happening = candidate.happening
        return self._row(candidate, person, connection_id, lane) | {
            "kind": "event",
            "name": candidate.row.name,
            "message_id": build_message_id(candidate.store.name, happening, happening.key, affected.role, email),
            "message": _build_message(person, happening.occurred_at // US_PER_SECOND, affected.data),
        }

    def _row(self, candidate: EventCandidate, person: PersonDraft, connection_id: int, lane: int) -> DeliveryRow:
        return {
            "store_id": candidate.store.id,
            "connection_id": connection_id,
            "lane": lane,
            "priority": self.priority,
            "event_id": candidate.event_id or None,  # what no hook has told is no event
            "person_id": person.id,
            "status": "pending",
            "attempts": 0,
            "notes": [],
            "created_at": self.now,
        }


def write_deliveries(conn: Database, rows: Sequence[DeliveryRow]) -> None:
    """Put messages into their lanes. Whoever is told live news has what a backfill wrote about them told before it."""
    upsert(conn, get_table(core.Delivery), rows, update_columns=(), conflict_columns=("connection_id", "message_id"))
    for part in chunks({row["person_id"] for row in rows if row["priority"] == LIVE_PRIORITY}):
        promote_to_live(conn, part)


def event_ulid(store: RecordingStore, identity: EventIdentity) -> str:
    """The event's own id: the one its customer's copy carries."""
    return build_message_id(store.name, identity, identity.key, "customer")


def _build_message(person: PersonDraft, at: int, data: DeliveryRow) -> DeliveryRow:
    return {"customer_id": person.customer_id, "email": person.email, "at": at, "data": data}
