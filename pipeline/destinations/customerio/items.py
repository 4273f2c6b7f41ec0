"""Makes of one message the bytes that go out: an operation of a v2 batch, or a v1 call of its own if it is too long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.customerio.attributes import clean_attributes, limit_attributes
from pipeline.destinations.customerio.event_data import clean_event_data, shorten_to_fit
from pipeline.destinations.customerio.limits import (
    MAX_ATTRIBUTE_VALUE_BYTES,
    MAX_EVENT_NAME_BYTES,
    MAX_IDENTIFIER_BYTES,
    MAX_ITEM_BYTES,
    byte_length,
    to_json,
)
from pipeline.infra.http.client import Method

Identifier = tuple[str, str]  # kind and value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a call goes. `template` is the path as the ledger keeps it: without an identifier."""

    method: Method
    path: str = field(repr=False)  # can hold an e-mail address
    template: str


@dataclass(frozen=True, slots=True)
class Item:
    """A message ready to leave. `position` is its place in the send, `alone` where it goes if no batch can carry it."""

    position: int
    message: Message = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[str, ...] = ()
    alone: Endpoint | None = None


def build_item(position: int, message: Message, *, has_profile: bool) -> Item | Rejected:
    """The item of a message, or why Customer.io could never take it."""
    identifier = _choose_identifier(message.person)
    if isinstance(identifier, Rejected):
        return identifier
    try:
        if message.kind == "profile":
            return _build_profile_item(position, message, identifier, has_profile=has_profile)
        return _build_event_item(position, message, identifier)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")


def _choose_identifier(person: PersonRef) -> Identifier | Rejected:
    """Customer ids get a prefix: a bare number could be another system's person, or a phone number to v1."""
    kind, value = ("email", person.email) if person.customer_id is None else ("id", f"cj_{person.customer_id}")
    if not value:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    if byte_length(value) > MAX_IDENTIFIER_BYTES:
        return Rejected("identifier_too_long", f"{kind}: more than {MAX_IDENTIFIER_BYTES} bytes")
    return kind, value


def _build_profile_item(
    position: int, message: Message, identifier: Identifier, *, has_profile: bool
) -> Item | Rejected:
    data, notes = clean_attributes(message.data, has_profile=has_profile)
    email = message.person.email
    if identifier[0] == "id" and email:
        if byte_length(email) > MAX_ATTRIBUTE_VALUE_BYTES:
            return Rejected("email_too_long", f"email: more than {MAX_ATTRIBUTE_VALUE_BYTES} bytes")
        data = {"email": email, **data}
    data, notes = limit_attributes(data, notes)
    body = _build_operation(identifier, "identify", timestamp=message.at, attributes=data)
    if len(body) <= MAX_ITEM_BYTES:
        return Item(position, message, body, notes)
    alone = Endpoint("PUT", f"/api/v1/customers/{_quote_identifier(identifier)}", "/api/v1/customers/{id}")
    return Item(position, message, to_json({**data, "_timestamp": message.at}), notes, alone)


def _build_event_item(position: int, message: Message, identifier: Identifier) -> Item | Rejected:
    name = (message.name or "").strip()
    if not name:
        return Rejected("event_name_missing")
    if byte_length(name) > MAX_EVENT_NAME_BYTES:
        return Rejected("event_name_too_long", f"more than {MAX_EVENT_NAME_BYTES} bytes")
    data, notes = clean_event_data(message.data)
    about: dict[str, Any] = {"name": name, "timestamp": message.at}
    if message.message_id is not None:
        about["id"] = message.message_id
    body = _build_operation(identifier, "event", **about, attributes=data)
    if len(body) <= MAX_ITEM_BYTES:
        return Item(position, message, body, notes)
    fitting = shorten_to_fit(data)
    if fitting is None:
        return Rejected("too_large", "the event's data is too long, even with its texts cut")
    short, cuts = fitting
    alone = Endpoint(
        "POST", f"/api/v1/customers/{_quote_identifier(identifier)}/events", "/api/v1/customers/{id}/events"
    )
    return Item(position, message, to_json({**about, "data": short}), notes + cuts, alone)


def _build_operation(identifier: Identifier, action: str, **fields: Any) -> bytes:
    kind, value = identifier
    return to_json({"type": "person", "action": action, "identifiers": {kind: value}, **fields})


def _quote_identifier(identifier: Identifier) -> str:
    """One path segment. v1 guesses the kind from the shape: ours are an e-mail address or begin with "cj_"."""
    return quote(identifier[1], safe="", errors="replace")
