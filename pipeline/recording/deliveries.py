"""Turns planned events into messages: for each person and connection a profile where it changed, then the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.core.messages import LIVE_PRIORITY, MessageKind
from pipeline.events.fields import US_PER_SECOND
from pipeline.events.identity import build_message_id
from pipeline.fan_out.consent import FREE, Verdict
from pipeline.fan_out.omissions import apply_omissions, remove_address_attributes, remove_addresses
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
    candidate: EventCandidate, affected: AffectedPerson, person: PersonDraft, priority: int, verdict: Verdict = FREE
) -> Iterator[DeliveryDraft]:
    """The deliveries of one event to one person, the profile first; none about a person who is withheld.

    Their attributes are computed all the same, so that the profile is whole once there is one.
    """
    changes = person.update_attributes(affected.facts, candidate.identity.received_at, candidate)
    if verdict.reason is not None or (person.email is None and not verdict.hides_address):
        return
    hides = verdict.hides_address
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
                message=_build_profile(person, changes or person.attributes, hides_address=hides),
            )
        if candidate.is_sent_over(connection_id):
            yield DeliveryDraft(
                candidate,
                person,
                connection_id,
                lanes,
                priority,
                kind="event",
                message=_build_event(candidate, affected, person, hides_address=hides),
                name=candidate.row.name,
                message_id=_build_copy_id(candidate, affected),
            )


def _plan_event(candidate: EventCandidate, priority: int) -> Iterator[DeliveryDraft]:
    planned: list[PersonDraft] = []
    for affected, person, verdict in candidate.judged_people:
        # A recipient who turns out to be the buyer gets one copy.
        if not any(person is other for other in planned):
            yield from plan_copy(candidate, affected, person, priority, verdict)
        planned.append(person)


def _build_copy_id(candidate: EventCandidate, affected: AffectedPerson) -> str:
    identity = candidate.identity
    email = affected.email if affected.role == "gift_recipient" else None
    return build_message_id(candidate.store.name, identity, identity.key, affected.role, email)


def _build_profile(person: PersonDraft, attributes: dict[str, Any], *, hides_address: bool) -> dict[str, Any]:
    data = remove_address_attributes(attributes) if hides_address else attributes
    return _build_message(person, person.known_at, data, hides_address=hides_address)


def _build_event(
    candidate: EventCandidate, affected: AffectedPerson, person: PersonDraft, *, hides_address: bool
) -> dict[str, Any]:
    data = apply_omissions(affected.role, affected.data, candidate.omissions)
    if hides_address:
        data = remove_addresses(candidate.row, affected.data, candidate.data)
    return _build_message(person, candidate.identity.occurred_at, data, hides_address=hides_address)


def _build_message(person: PersonDraft, at_us: int, data: dict[str, Any], *, hides_address: bool) -> dict[str, Any]:
    email = None if hides_address else person.email
    return {"customer_id": person.customer_id, "email": email, "at": at_us // US_PER_SECOND, "data": data}
