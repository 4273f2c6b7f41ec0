"""What happens to an event that is valid: whose it becomes, or why it is silently ignored."""

from collections.abc import Mapping
from typing import Any

from sandbox.customerio.activity import (
    BARE_PROFILE,
    DROPPED_CIO_ID,
    DROPPED_UNKNOWN,
    DUPLICATE_EVENT,
    FAR_FUTURE,
    NOT_A_ULID,
    RESERVED_KEY,
)
from sandbox.customerio.events import US_PER_S, Event
from sandbox.customerio.limits import EVENT_MOVE_WINDOW_S, is_ulid
from sandbox.customerio.people import Identifier, Person
from sandbox.customerio.workspace import CallContext

# In an event's data these override the campaign's own settings.
RESERVED_DATA_KEYS = frozenset({"recipient", "from_address", "reply_to"})

# A timestamp in milliseconds is not refused; it lands thousands of years ahead.
_FAR_FUTURE_S = 10 * 365 * 86_400


class UnknownPerson(Exception):
    """The event is for an unknown person, and by the switch this is an error."""


def track(visit: CallContext, who: Identifier, event: Event) -> Person | None:
    """Keep the event with its person, unless the vendor would silently not."""
    if visit.is_blocked(who) or _is_known(visit, who, event):
        return None
    person = visit.workspace.people.find(who) or _handle_unknown_person(visit, who)
    if person is not None:
        person.events.append(event)
        _register_event(visit, who, event)
    return person


def track_anonymous(visit: CallContext, anonymous_id: str | None, event: Event) -> None:
    """Store an event of a person not yet known, or an invitation to a bare address."""
    who = f"anonymous_id:{anonymous_id}" if anonymous_id else "invite"
    if _is_known(visit, who, event):
        return
    if anonymous_id:
        visit.workspace.anonymous[anonymous_id].append(event)
    else:
        visit.workspace.invites.append(event)
    _register_event(visit, who, event)


def link_anonymous(visit: CallContext, person: Person, anonymous_id: object) -> None:
    """Move the anonymous events of the last 30 days to the person who has got their `anonymous_id`."""
    if not isinstance(anonymous_id, str) or anonymous_id not in visit.workspace.anonymous:
        return
    person.events += recent(visit, visit.workspace.anonymous.pop(anonymous_id))


def recent(visit: CallContext, events: list[Event]) -> list[Event]:
    """Return the events that are young enough to move to another person."""
    return [event for event in events if visit.seconds - event.timestamp <= EVENT_MOVE_WINDOW_S]


def new_event(visit: CallContext, fields: Mapping[str, Any], data_field: str) -> Event:
    """Return a valid event's fields as an event; without a timestamp it happened when it arrived."""
    timestamp, event_id = fields.get("timestamp"), fields.get("id")
    return Event(
        name=fields["name"].strip(),
        id=None if event_id is None else str(event_id),
        timestamp=visit.seconds if timestamp is None else timestamp,
        data=fields.get(data_field) or {},
        received_at=visit.now,
        call=visit.call.number,
    )


def _is_known(visit: CallContext, who: object, event: Event) -> bool:
    if event.id is None or event.id not in visit.workspace.event_ids:
        return False
    visit.note(DUPLICATE_EVENT, who, f"{event.name} {event.id}")
    return True


def _handle_unknown_person(visit: CallContext, who: Identifier) -> Person | None:
    if who.kind == "cio_id":
        visit.note(DROPPED_CIO_ID, who)
        return None
    if visit.switches.unknown_person == "error":
        raise UnknownPerson
    if visit.switches.unknown_person == "drop":
        visit.note(DROPPED_UNKNOWN, who)
        return None
    visit.note(BARE_PROFILE, who)
    return visit.workspace.people.create(who)


def _register_event(visit: CallContext, who: object, event: Event) -> None:
    visit.workspace.event_count += 1
    if event.id is not None:
        visit.workspace.event_ids.add(event.id)
        if not is_ulid(event.id):
            visit.note(NOT_A_ULID, who, event.id)
    if event.timestamp > visit.now // US_PER_S + _FAR_FUTURE_S:
        visit.note(FAR_FUTURE, who, f"{event.name} {event.timestamp}")
    for key in RESERVED_DATA_KEYS & event.data.keys():
        visit.note(RESERVED_KEY, who, key)
