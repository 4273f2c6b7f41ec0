"""Turns planned events into messages: for each person and connection a profile where it changed, then the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.core.messages import LIVE_PRIORITY, MessageKind
from pipeline.events.fields import US_PER_SECOND
from pipeline.events.identity import build_message_id
from pipeline.fan_out.plan import AffectedPerson
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.people import PersonDraft


@dataclass(frozen=True, slots=True)
class DeliveryDraft:
    """A delivery that is not written yet: its event and its person may have no ids before they are."""

    candidate: EventCandidate
    person: PersonDraft
    connection_id: int
    lanes: int  # how many the connection has
    priority: int
    kind: MessageKind
    message: dict[str, Any]
    name: str | None = None
    message_id: str | None = None

    def build_row(self, now: int) -> dict[str, Any]:
        """The delivery's row, once its event and its person have ids."""
        return {
            "store_id": self.candidate.store.id,
            "connection_id": self.connection_id,
            "lane": self.person.id % self.lanes,
            "priority": self.priority,
            "event_id": self.candidate.event_id or None,  # an object that only the API showed is no event
            "person_id": self.person.id,
            "kind": self.kind,
            "name": self.name,
            "message_id": self.message_id,
            "message": self.message,
            "status": "pending",
            "attempts": 0,
            "notes": [],
            "created_at": now,
        }


def plan_deliveries(candidates: Iterable[EventCandidate], priority: int = LIVE_PRIORITY) -> list[DeliveryDraft]:
    """The deliveries of these events, in their order. Facts are merged on the way, so each profile is of its moment."""
    return [draft for candidate in candidates for draft in _plan_event(candidate, priority)]


def plan_copy(
    candidate: EventCandidate, affected: AffectedPerson, person: PersonDraft, priority: int
) -> Iterator[DeliveryDraft]:
    """The deliveries of one event to one person, the profile first."""
    changes = person.update_attributes(affected.facts, candidate.identity.received_at)
    if person.email is None:
        return
    for connection_id, lanes in candidate.store.connections:
        if changes is not None or connection_id not in person.has_profile_at:
            person.has_profile_at.add(connection_id)
            yield DeliveryDraft(
                candidate,
                person,
                connection_id,
                lanes,
                priority,
                kind="profile",
                message=_build_message(person, person.known_at, changes or person.attributes),
            )
        if candidate.is_forwarded:
            yield DeliveryDraft(
                candidate,
                person,
                connection_id,
                lanes,
                priority,
                kind="event",
                message=_build_message(person, candidate.identity.occurred_at, affected.data),
                name=candidate.row.name,
                message_id=_build_copy_id(candidate, affected),
            )


def _plan_event(candidate: EventCandidate, priority: int) -> Iterator[DeliveryDraft]:
    planned: list[PersonDraft] = []
    for affected, person in candidate.resolved_people:
        # A recipient who turns out to be the buyer gets one copy.
        if not any(person is other for other in planned):
            yield from plan_copy(candidate, affected, person, priority)
        planned.append(person)


def _build_copy_id(candidate: EventCandidate, affected: AffectedPerson) -> str:
    identity = candidate.identity
    email = affected.email if affected.role == "gift_recipient" else None
    return build_message_id(candidate.store.name, identity, identity.key, affected.role, email)


def _build_message(person: PersonDraft, at_us: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"customer_id": person.customer_id, "email": person.email, "at": at_us // US_PER_SECOND, "data": data}
