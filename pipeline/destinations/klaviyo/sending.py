"""Sends messages: a call for each profile, and events in bulk where there are many.

A profile has a call of its own because a bulk import answers before it is done, and an event must not be there before
its person is. Events about a person wait for that person's profiles before them, and profiles for the events before
them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.messages import ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.destinations.json_text import to_json
from pipeline.destinations.klaviyo.client import KlaviyoClient, read_errors
from pipeline.destinations.klaviyo.events import build_event, bulk_body, event_body
from pipeline.destinations.klaviyo.profiles import build_phone, build_profile, identify, profile_body, without_email

MIN_BULK_EVENTS = 10  # fewer go one by one: bulk calls have 150 a minute, single ones 3,500
MAX_BULK_EVENTS = 500  # Klaviyo takes 1,000
MAX_BULK_BYTES = 4_000_000  # Klaviyo takes 5 MB
MAX_SEND_S = 45  # of calls in one send: no other worker can take the lane meanwhile
IMPORT, EVENTS, BULK, MERGE = "profile-import", "events", "event-bulk-create-jobs", "profile-merge"
BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409
_ENTRY = re.compile(r"/data/attributes/events-bulk-create/data/(\d+)(?:/|$)")
_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class _Event:
    position: int
    person: int
    attributes: dict[str, Any] = field(repr=False)
    size: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What may be in one bulk call only once."""
        metric = self.attributes["metric"]["data"]["attributes"]["name"]
        return str(self.attributes["profile"]), metric, self.attributes["unique_id"]


def send(client: KlaviyoClient, messages: Sequence[Message], *, has_klaviyo_names: bool) -> Reply:
    """Return one outcome per message, in their order."""
    return _Send(client, messages, has_klaviyo_names=has_klaviyo_names).run()


class _Send:
    def __init__(self, client: KlaviyoClient, messages: Sequence[Message], *, has_klaviyo_names: bool) -> None:
        self._client = client
        self._messages = messages
        self._has_klaviyo_names = has_klaviyo_names
        self._outcomes: dict[int, Outcome] = {}
        self._waiting: list[_Event] = []
        self._stop: RetryAfter | ConnectionBroken | None = None

    def run(self) -> Reply:
        now_s = self._client.now_s() if self._messages else 0.0
        for position, message in enumerate(self._messages):
            if message.kind == "profile":
                if any(event.person == message.person.id for event in self._waiting):
                    self._send_events()
                self._send_profile(position, message)
            else:
                self._add_event(position, message, now_s)
        self._send_events()
        outcomes = (self._outcomes.get(position) or self._stop for position in range(len(self._messages)))
        return Reply(tuple(outcome for outcome in outcomes if outcome is not None), tuple(self._client.calls))

    def _add_event(self, position: int, message: Message, now_s: float) -> None:
        built = build_event(message, now_s, has_klaviyo_names=self._has_klaviyo_names)
        if isinstance(built, Rejected):
            self._outcomes[position] = built
            return
        event = _Event(position, message.person.id, built, len(to_json(built)))
        is_full = sum(one.size for one in self._waiting) + event.size > MAX_BULK_BYTES
        if is_full or len(self._waiting) == MAX_BULK_EVENTS or any(one.key == event.key for one in self._waiting):
            self._send_events()
        self._waiting.append(event)

    def _send_profile(self, position: int, message: Message) -> None:
        built = build_profile(message)
        if isinstance(built, Rejected):
            self._outcomes[position] = built
            return
        if self._must_stop():
            return
        profile, notes = built
        response, outcome = self._client.post(IMPORT, profile_body(profile), [position])
        if response.status == CONFLICT:
            outcome, note = self._resolve_conflict(position, message, profile, read_errors(response))
            notes = (*notes, note)
        phone = build_phone(message)
        if isinstance(outcome, Sent) and phone is not None:
            outcome, phone_notes = self._send_phone(position, phone)
            notes = (*notes, *phone_notes)
        self._note(outcome, [position], notes)

    def _send_phone(self, position: int, phone: Mapping[str, Any]) -> tuple[Outcome, tuple[str, ...]]:
        """Put the number into Klaviyo's own field, unless it refuses it or another profile has it."""
        response, outcome = self._client.post(IMPORT, profile_body(phone), [position])
        if response.status in (BAD_REQUEST, CONFLICT):
            return Sent(), ("kept:the telephone number as a property only",)
        return outcome, ()

    def _resolve_conflict(
        self, position: int, message: Message, profile: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]
    ) -> tuple[Outcome, str]:
        """The address is another profile's: merge that one into the customer's, or leave the address as it is there.

        It is merged if it is no customer's: then it is the same person from before they were a customer, or before
        they changed the address. A merge cannot be undone.
        """
        other = next((id_ for one in errors if (id_ := _read_duplicate(one))), None)
        own = identify(message.person, is_whole=False).get("external_id")
        if other is not None and own is not None:
            outcome, is_merged = self._merge(position, other, own)
            if not isinstance(outcome, Sent):
                return outcome, "merge:waits"
            if is_merged:
                response, outcome = self._client.post(IMPORT, profile_body(profile), [position])
                if response.status != CONFLICT:
                    return outcome, "merged:the profile that had the address"
        _, outcome = self._client.post(IMPORT, profile_body(without_email(profile)), [position])
        return outcome, "kept:the address there, which another profile has"

    def _merge(self, position: int, other: str, own: str) -> tuple[Outcome, bool]:
        """Merge the other profile into the customer's, unless it has an external id. Return whether it is gone."""
        outcome, source = self._client.find_profile("id", other)
        if not isinstance(outcome, Sent) or source is None:
            return outcome, source is None
        if source.external_id is not None:
            return Sent(), False
        outcome, target = self._client.find_profile("external_id", own)
        if not isinstance(outcome, Sent) or target is None:
            return outcome, False
        sources = {"profiles": {"data": [{"type": "profile", "id": other}]}}
        merge = {"type": "profile-merge", "id": target.id, "relationships": sources}
        response, outcome = self._client.post(MERGE, to_json({"data": merge}), [position])
        if response.status == NOT_FOUND:  # merged by an earlier try whose answer was lost
            return Sent(), True
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            return outcome, False
        return Sent(), isinstance(outcome, Sent)

    def _send_events(self) -> None:
        events, self._waiting = self._waiting, []
        if len(events) >= MIN_BULK_EVENTS:
            self._send_bulk(events)
            return
        for event in events:
            if self._must_stop():
                return
            _, outcome = self._client.post(EVENTS, event_body(event.attributes), [event.position])
            self._note(outcome, [event.position], ())

    def _send_bulk(self, events: Sequence[_Event]) -> None:
        """Send them in one call. One bad event refuses all: those that the answer names go alone, the others again.

        If it names none, each goes alone.
        """
        if self._must_stop() or not events:
            return
        positions = [event.position for event in events]
        response, outcome = self._client.post(BULK, bulk_body([event.attributes for event in events]), positions)
        if response.status != BAD_REQUEST:
            self._note(outcome, positions, ())
            return
        named = {place for one in read_errors(response) if (place := _read_entry(one)) is not None}
        bad = [event for place, event in enumerate(events) if place in named]
        for event in bad or events:
            if self._must_stop():
                return
            _, outcome = self._client.post(EVENTS, event_body(event.attributes), [event.position])
            self._note(outcome, [event.position], ())
        if bad:
            self._send_bulk([event for place, event in enumerate(events) if place not in named])

    def _must_stop(self) -> bool:
        if self._stop is None and sum(call.duration_us for call in self._client.calls) >= MAX_SEND_S * _US_PER_SECOND:
            self._stop = RetryAfter(0.0, "more calls than one send makes")
        return self._stop is not None

    def _note(self, outcome: Outcome, positions: Sequence[int], notes: tuple[str, ...]) -> None:
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            self._stop = outcome
            return
        for position in positions:
            self._outcomes[position] = Sent(notes) if isinstance(outcome, Sent) and notes else outcome


def _read_duplicate(error: Mapping[str, Any]) -> str | None:
    meta = error.get("meta")
    found = meta.get("duplicate_profile_id") if isinstance(meta, dict) else None
    return found if isinstance(found, str) else None


def _read_entry(error: Mapping[str, Any]) -> int | None:
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    found = _ENTRY.match(pointer) if isinstance(pointer, str) else None
    return int(found[1]) if found else None
