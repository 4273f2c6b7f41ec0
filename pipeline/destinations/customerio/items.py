"""Makes of one message the bytes that go out: an operation of a v2 batch, or a v1 call of its own if it is too long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.destinations.customerio.attributes import at_most, attributes_of
from pipeline.destinations.customerio.event_data import event_data, short_enough
from pipeline.destinations.customerio.limits import (
    ATTRIBUTE_VALUE_BYTES,
    EVENT_NAME_BYTES,
    IDENTIFIER_BYTES,
    ITEM_BYTES,
    size,
    to_json,
)
from pipeline.http import Method
from pipeline.model import Message, PersonRef, Rejected

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


def make_item(position: int, message: Message, *, introduced: bool) -> Item | Rejected:
    """The item of a message, or why Customer.io could never take it."""
    identifier = _identifier(message.person)
    if isinstance(identifier, Rejected):
        return identifier
    try:
        if message.kind == "profile":
            return _profile(position, message, identifier, introduced=introduced)
        return _event(position, message, identifier)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")


def _identifier(person: PersonRef) -> Identifier | Rejected:
    """Customer ids get a prefix: a bare number could be another system's person, or a phone number to v1."""
    kind, value = ("email", person.email) if person.customer_id is None else ("id", f"cj_{person.customer_id}")
    if not value:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    if size(value) > IDENTIFIER_BYTES:
        return Rejected("identifier_too_long", f"{kind}: more than {IDENTIFIER_BYTES} bytes")
    return kind, value


def _profile(position: int, message: Message, identifier: Identifier, *, introduced: bool) -> Item | Rejected:
    data, notes = attributes_of(message.data, introduced=introduced)
    email = message.person.email
    if identifier[0] == "id" and email:
        if size(email) > ATTRIBUTE_VALUE_BYTES:
            return Rejected("email_too_long", f"email: more than {ATTRIBUTE_VALUE_BYTES} bytes")
        data = {"email": email, **data}
    data, notes = at_most(data, notes)
    body = _operation(identifier, "identify", timestamp=message.at, attributes=data)
    if len(body) <= ITEM_BYTES:
        return Item(position, message, body, notes)
    alone = Endpoint("PUT", f"/api/v1/customers/{_quoted(identifier)}", "/api/v1/customers/{id}")
    return Item(position, message, to_json({**data, "_timestamp": message.at}), notes, alone)


def _event(position: int, message: Message, identifier: Identifier) -> Item | Rejected:
    name = (message.name or "").strip()
    if not name:
        return Rejected("event_name_missing")
    if size(name) > EVENT_NAME_BYTES:
        return Rejected("event_name_too_long", f"more than {EVENT_NAME_BYTES} bytes")
    data, notes = event_data(message.data)
    about: dict[str, Any] = {"name": name, "timestamp": message.at}
    if message.message_id is not None:
        about["id"] = message.message_id
    body = _operation(identifier, "event", **about, attributes=data)
    if len(body) <= ITEM_BYTES:
        return Item(position, message, body, notes)
    fitting = short_enough(data)
    if fitting is None:
        return Rejected("too_large", "the event's data is too long, even with its texts cut")
    short, cuts = fitting
    alone = Endpoint("POST", f"/api/v1/customers/{_quoted(identifier)}/events", "/api/v1/customers/{id}/events")
    return Item(position, message, to_json({**about, "data": short}), notes + cuts, alone)


def _operation(identifier: Identifier, action: str, **fields: Any) -> bytes:
    kind, value = identifier
    return to_json({"type": "person", "action": action, "identifiers": {kind: value}, **fields})


def _quoted(identifier: Identifier) -> str:
    """One path segment. v1 guesses the kind from the shape: ours are an e-mail address or begin with "cj_"."""
    return quote(identifier[1], safe="", errors="replace")
