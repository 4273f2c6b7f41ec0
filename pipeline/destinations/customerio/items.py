"""Builds the bytes of one message: an operation of a v2 batch, or a v1 call of its own if it is too long for that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.customerio.attributes import clean_attributes, limit_attributes
from pipeline.destinations.customerio.event_data import clean_event_data
from pipeline.destinations.customerio.limits import (
    MAX_ATTRIBUTE_VALUE_BYTES,
    MAX_EVENT_DATA_BYTES,
    MAX_EVENT_NAME_BYTES,
    MAX_IDENTIFIER_BYTES,
    MAX_ITEM_BYTES,
)
from pipeline.destinations.json_text import byte_length, shorten_texts, to_json
from pipeline.infra.http.client import Method

CUSTOMER_ID_PREFIX = "cj_"

Identifier = tuple[str, str]  # kind and value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Method and path of a call. `template` is the path as the ledger stores it: without an identifier."""

    method: Method
    path: str = field(repr=False)  # can hold an e-mail address
    template: str


@dataclass(frozen=True, slots=True)
class Item:
    """A message ready to send. `position` is its index in the send; `own_endpoint` is set if it fits into no batch."""

    position: int
    message: Message = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[str, ...] = ()
    own_endpoint: Endpoint | None = None


def build_item(
    position: int, message: Message, *, has_profile: bool, unsubscribes_refusers: bool = False
) -> Item | Rejected:
    """Return the item of a message, or the Rejected that says why Customer.io could never accept it.

    `unsubscribes_refusers`: mark people who refuse marketing at the store as unsubscribed. None is ever subscribed.
    """
    identifier = _choose_identifier(message.person)
    if isinstance(identifier, Rejected):
        return identifier
    try:
        if message.kind == "profile":
            refused = unsubscribes_refusers and message.data.get("accepts_marketing") is False
            forced = {"unsubscribed": True} if refused else {}
            return _build_profile_item(position, message, identifier, forced, has_profile=has_profile)
        return _build_event_item(position, message, identifier)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")


def _choose_identifier(person: PersonRef) -> Identifier | Rejected:
    """Prefix customer ids: v1 could read a bare number as a phone number, or it could be another system's person."""
    is_guest = person.customer_id is None
    kind, value = ("email", person.email) if is_guest else ("id", f"{CUSTOMER_ID_PREFIX}{person.customer_id}")
    if not value:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    if byte_length(value) > MAX_IDENTIFIER_BYTES:
        return Rejected("identifier_too_long", f"{kind}: more than {MAX_IDENTIFIER_BYTES} bytes")
    return kind, value


def _build_profile_item(
    position: int, message: Message, identifier: Identifier, forced: dict[str, Any], *, has_profile: bool
) -> Item | Rejected:
    data, notes = clean_attributes(message.data, has_profile=has_profile)
    email = message.person.email
    if identifier[0] == "id" and email:
        if byte_length(email) > MAX_ATTRIBUTE_VALUE_BYTES:
            return Rejected("email_too_long", f"email: more than {MAX_ATTRIBUTE_VALUE_BYTES} bytes")
        data = {"email": email, **data}
    data, notes = limit_attributes(forced | data, notes)
    body = _build_operation(identifier, "identify", timestamp=message.at, attributes=data)
    if len(body) <= MAX_ITEM_BYTES:
        return Item(position, message, body, notes)
    endpoint = Endpoint("PUT", f"/api/v1/customers/{_quote_identifier(identifier)}", "/api/v1/customers/{id}")
    return Item(position, message, to_json({**data, "_timestamp": message.at}), notes, endpoint)


def _build_event_item(position: int, message: Message, identifier: Identifier) -> Item | Rejected:
    name = (message.name or "").strip()
    if not name:
        return Rejected("event_name_missing")
    if byte_length(name) > MAX_EVENT_NAME_BYTES:
        return Rejected("event_name_too_long", f"more than {MAX_EVENT_NAME_BYTES} bytes")
    data, notes = clean_event_data(message.data)
    event: dict[str, Any] = {"name": name, "timestamp": message.at}
    if message.message_id is not None:
        event["id"] = message.message_id
    body = _build_operation(identifier, "event", **event, attributes=data)
    if len(body) <= MAX_ITEM_BYTES:
        return Item(position, message, body, notes)
    fitted = shorten_texts(data, MAX_EVENT_DATA_BYTES)
    if fitted is None:
        return Rejected("too_large", "the event's data is too long, even with its texts cut")
    short, cuts = fitted
    endpoint = Endpoint(
        "POST", f"/api/v1/customers/{_quote_identifier(identifier)}/events", "/api/v1/customers/{id}/events"
    )
    return Item(position, message, to_json({**event, "data": short}), notes + cuts, endpoint)


def _build_operation(identifier: Identifier, action: str, **fields: Any) -> bytes:
    kind, value = identifier
    return to_json({"type": "person", "action": action, "identifiers": {kind: value}, **fields})


def _quote_identifier(identifier: Identifier) -> str:
    """Quote the identifier as a path segment. v1 infers its kind: ours is an e-mail address or begins with "cj_"."""
    return quote(identifier[1], safe="", errors="replace")
