"""Sends messages in their order: many profiles in a row in one batch, all else in calls of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.messages import ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.batches import MIN_MEMBERS, BatchMember, send_batch
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.destinations.mailchimp.events import ID_PROPERTY, build_event, get_event_id
from pipeline.destinations.mailchimp.members import (
    NOT_SUBSCRIBED,
    UNKNOWN_PERSON,
    build_bare_member,
    build_member,
    choose_status,
    hash_address,
    list_open_attributes,
    tags_body,
)
from pipeline.destinations.mailchimp.open_fields import find_open_tags
from pipeline.destinations.mailchimp.responses import (
    IN_COMPLIANCE,
    NOT_FOUND,
    UNKNOWN_OUTCOME_WAIT_S,
    list_refused_fields,
    parse_outcome,
    read_problem,
)
from pipeline.infra.http.client import HTTPResponse

MAX_SEND_S = 45  # of calls in one send: no other worker can take the lane meanwhile
FIRST_TRY_S = 5.0  # a message that was written longer ago may have been sent before: a lane's lease lasts 8 s
_US_PER_SECOND = 1_000_000
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Consent:
    """Who becomes a subscriber: those who agreed at the shop, or no person; and whether the audience asks again."""

    subscribes_consenting: bool
    is_double_optin: bool


def send(client: MailchimpClient, messages: Sequence[Message], consent: Consent) -> Reply:
    """Return one outcome per message, in their order."""
    return _Send(client, messages, consent).run()


class _Send:
    def __init__(self, client: MailchimpClient, messages: Sequence[Message], consent: Consent) -> None:
        self._client = client
        self._messages = messages
        self._consent = consent
        self._outcomes: dict[int, Outcome] = {}
        self._stop: RetryAfter | ConnectionBroken | None = None
        self._arrived: dict[str, set[str]] = {}  # ids of the events that a member has, by the member's key

    def run(self) -> Reply:
        position = 0
        while position < len(self._messages) and not self._must_stop():
            run = self._find_profiles(position)
            if len(run) >= MIN_MEMBERS:
                self._send_profiles(run)
                position += len(run)
            else:
                self._send_one(position)
                position += 1
        outcomes = (self._outcomes.get(position) or self._stop for position in range(len(self._messages)))
        return Reply(tuple(outcome for outcome in outcomes if outcome is not None), tuple(self._client.calls))

    def _find_profiles(self, start: int) -> list[int]:
        """Return the positions of the profiles from here on that can be in one batch: no event, and no person twice."""
        found: list[int] = []
        people: set[str] = set()
        for position in range(start, len(self._messages)):
            message = self._messages[position]
            email = message.person.email or ""
            if message.kind != "profile" or not email or email in people or tags_body(message) is not None:
                break
            people.add(email)
            found.append(position)
        return found

    def _send_profiles(self, positions: Sequence[int]) -> None:
        members = []
        for position in positions:
            built = self._build_member(position)
            if built is None:
                return
            body, _ = built
            members.append(BatchMember(position, hash_address(str(self._messages[position].person.email)), body))
        outcome = send_batch(self._client, members)
        if isinstance(outcome, RetryAfter):
            self._stop = outcome
        elif outcome is not None:
            self._outcomes |= dict.fromkeys(positions, outcome)
        else:  # each says for itself what is wrong with it
            for position in positions:
                if self._must_stop():
                    return
                self._send_one(position)

    def _send_one(self, position: int) -> None:
        message = self._messages[position]
        if not message.person.email:
            self._outcomes[position] = UNKNOWN_PERSON
        elif message.kind == "profile":
            self._send_profile(position, message, hash_address(message.person.email))
        else:
            self._send_event(position, message, hash_address(message.person.email))

    def _build_member(self, position: int) -> tuple[dict[str, Any], tuple[str, ...]] | None:
        """Return a member's body and notes; None if the fields of its surveys cannot be found now."""
        message = self._messages[position]
        attributes = list_open_attributes(message)
        tags, outcome = find_open_tags(self._client, attributes, position) if attributes else ({}, Sent())
        if not isinstance(outcome, Sent):
            self._note(outcome, position, ())
            return None
        status = choose_status(
            message,
            subscribes_consenting=self._consent.subscribes_consenting,
            is_double_optin=self._consent.is_double_optin,
        )
        without = len(attributes) - len(tags)
        return build_member(message, tags, status), ((f"dropped:{without} without a merge field",) if without else ())

    def _send_profile(self, position: int, message: Message, key: str) -> None:
        built = self._build_member(position)
        if built is None:
            return
        body, notes = built
        response = self._client.put_member(key, to_json(body), [position])
        better = _mend(body, response)
        if better is not None:
            body, note = better
            notes = (*notes, note)
            response = self._client.put_member(key, to_json(body), [position])
        outcome = parse_outcome(response)
        if isinstance(outcome, Sent):
            notes = (*notes, *_list_lost(body, response))
            tags = tags_body(message)
            if tags is not None:
                outcome = parse_outcome(self._client.change_tags(key, tags, [position]))
        self._note(outcome, position, notes)

    def _send_event(self, position: int, message: Message, key: str) -> None:
        body = build_event(message, self._client.now_s())
        if isinstance(body, Rejected):
            self._outcomes[position] = body
            return
        arrived = self._find_arrived(position, message, key)
        if arrived is None:
            return
        if get_event_id(message) in arrived:
            self._outcomes[position] = Sent(("found:an earlier try had arrived",))
            return
        response = self._client.add_event(key, body, [position])
        if response.status == NOT_FOUND:  # the member is not there, or the audience
            made = self._client.put_member(key, to_json(build_bare_member(message.person)), [position])
            outcome = parse_outcome(made)
            if not isinstance(outcome, Sent):
                self._note(outcome, position, ())
                return
            response = self._client.add_event(key, body, [position])
        self._note(_wait_if_unknown(response), position, ())

    def _find_arrived(self, position: int, message: Message, key: str) -> set[str] | None:
        """Return the ids of the events that the member has, if this one may have been sent before; None: not now."""
        age_s = self._client.now_s() - message.written_at / _US_PER_SECOND
        if message.written_at == 0 or age_s < FIRST_TRY_S:
            return set()
        if key not in self._arrived:
            response = self._client.list_events(key, [position])
            outcome = parse_outcome(response)
            if response.status != NOT_FOUND and not isinstance(outcome, Sent):
                self._note(outcome, position, ())
                return None
            self._arrived[key] = _read_event_ids(response)
        return self._arrived[key]

    def _must_stop(self) -> bool:
        if self._stop is None and sum(call.duration_us for call in self._client.calls) >= MAX_SEND_S * _US_PER_SECOND:
            self._stop = RetryAfter(0.0, "more calls than one send makes")
        return self._stop is not None

    def _note(self, outcome: Outcome, position: int, notes: tuple[str, ...]) -> None:
        if isinstance(outcome, RetryAfter | ConnectionBroken):
            self._stop = outcome
        else:
            self._outcomes[position] = Sent(notes) if isinstance(outcome, Sent) and notes else outcome


def _mend(body: Mapping[str, Any], response: HTTPResponse) -> tuple[dict[str, Any], str] | None:
    """Return what of a refused member may be sent again, and a note; None if nothing can be mended."""
    refused = list_refused_fields(response) & set(body["merge_fields"])
    if refused:
        kept = {tag: value for tag, value in body["merge_fields"].items() if tag not in refused}
        return {**body, "merge_fields": kept}, f"refused:{', '.join(sorted(refused))}"
    if read_problem(response).get("title") == IN_COMPLIANCE and body["status_if_new"] != NOT_SUBSCRIBED:
        return {**body, "status_if_new": NOT_SUBSCRIBED}, "not subscribed:the person had unsubscribed, or bounced"
    return None


def _list_lost(body: Mapping[str, Any], response: HTTPResponse) -> tuple[str, ...]:
    """Note the fields that the audience does not have any more: Mailchimp ignores them without an error."""
    kept = read_problem(response).get("merge_fields")
    lost = sorted(set(body["merge_fields"]) - set(kept)) if isinstance(kept, dict) else []
    return (f"no such field:{', '.join(lost)}",) if lost else ()


def _wait_if_unknown(response: HTTPResponse) -> Outcome:
    """An event whose call had no answer, or a server's error, may have been kept: look for it later."""
    outcome = parse_outcome(response)
    if isinstance(outcome, RetryAfter) and (response.status is None or response.status >= _FIRST_SERVER_ERROR):
        return RetryAfter(max(outcome.seconds or 0.0, UNKNOWN_OUTCOME_WAIT_S), outcome.reason)
    return outcome


def _read_event_ids(response: HTTPResponse) -> set[str]:
    events = read_problem(response).get("events")
    found = [one.get("properties") for one in events if isinstance(one, dict)] if isinstance(events, list) else []
    return {str(one[ID_PROPERTY]) for one in found if isinstance(one, dict) and ID_PROPERTY in one}
