"""Whether events were sent about people: loads what decides it, for the events of a person or the people of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.core.hooks import RECONCILE
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import format_connection_name
from pipeline.ledger.queries.person_events import (
    ConcernedPerson,
    TrackedMessage,
    find_limited,
    list_concerned,
    list_messages,
)
from pipeline.people.causes import Verdict
from pipeline.people.verdict import EventCase, MessageCase, judge

EVENT, PROFILE = "event", "profile"
_PROFILE_REFUSED = "profile_refused"  # an event is refused with its profile: the profile's reason is the cause


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether one event was sent about one person: a verdict for each platform, or one for all. And the messages."""

    concerned: ConcernedPerson
    verdicts: tuple[Verdict, ...]
    messages: tuple[TrackedMessage, ...] = field(repr=False)


def load_answers(conn: Connection, event_ids: Collection[int], now: int, person_id: int | None = None) -> list[Answer]:
    """An answer for each of these events and each person whom it concerns; with `person_id` for this person only."""
    if not event_ids:
        return []
    people = list_concerned(conn, event_ids, person_id)
    messages: dict[tuple[int, int], list[TrackedMessage]] = {}
    for message in list_messages(conn, event_ids, person_id):
        messages.setdefault((message.event_id or 0, message.person_id), []).append(message)
    sent = [one.id for found in messages.values() for one in found if one.kind == EVENT and one.status == "sent"]
    limited = find_limited(conn, sent) if sent else set()
    return [_answer(one, messages.get((one.event_id, one.person_id), []), limited, now) for one in people]


def build_message_case(message: TrackedMessage, *, was_limited: bool = False, why: str | None = None) -> MessageCase:
    """What the table of verdicts needs to know of a message. `why`: a better reason than its own."""
    destination = DESTINATIONS.get(message.platform)
    title = destination.title if destination else message.platform
    is_paused = message.connection_status != "active"
    return MessageCase(
        platform=format_connection_name(title, message.label, message.title),
        status=message.status,
        reason=message.reason,
        detail=why or message.detail,
        created_at=message.created_at,
        done_at=message.done_at,
        paused_since=message.connection_since if is_paused else None,
        paused_because=message.connection_reason,
        lane_attempts=message.lane_attempts,
        lane_reason=message.lane_reason,
        failing_since=message.failing_since,
        next_attempt_at=message.next_attempt_at,
        was_limited=was_limited,
        campaign_limit_s=destination.campaign_limit_s if destination else None,
    )


def _answer(person: ConcernedPerson, messages: Sequence[TrackedMessage], limited: Collection[int], now: int) -> Answer:
    event = EventCase(
        name=person.name,
        outcome=person.outcome,
        reason=person.reason,
        occurred_at=person.occurred_at,
        received_at=person.received_at,
        is_recovered=person.source == RECONCILE,
        is_withheld=person.is_withheld,
        has_other_recipient=person.has_other_recipient,
    )
    profiles = {one.connection_id: one for one in messages if one.kind == PROFILE and one.status == "dead"}
    cases = [
        build_message_case(one, was_limited=one.id in limited, why=_find_profile_reason(one, profiles))
        for one in messages
        if one.kind == EVENT
    ]
    return Answer(person, tuple(judge(event, cases, now)), tuple(messages))


def _find_profile_reason(message: TrackedMessage, profiles: Mapping[int, TrackedMessage]) -> str | None:
    profile = profiles.get(message.connection_id)
    if message.reason != _PROFILE_REFUSED or profile is None:
        return None
    return f"it refused the person's profile: {profile.detail or (profile.reason or '').replace('_', ' ')}"
