"""Builds the calls that a batch carries: an `identify` for a profile, a `track` for an event (Segment docs, HTTP API).

A person without a customer id is anonymous there, under an id made from the address; when they become a customer, their
`identify` carries both ids, so that they stay one person.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.core.messages import Message, PersonRef, Rejected
from pipeline.destinations.json_text import drop_not_finite, shorten_texts, to_json
from pipeline.destinations.segment.names import name_event

CUSTOMER_ID_PREFIX = "cj_"
MAX_ITEM_BYTES = 32_000  # Segment docs: 32 kB; what is longer is dropped with status 200
_ENVELOPE_BYTES = 1_000  # of a call around its properties, at most
_PEOPLE = uuid.UUID("5b0f0c52-8d0b-5f0e-9a5d-4f6b8f3c1d2a")  # our namespace of anonymous ids


@dataclass(frozen=True, slots=True)
class Item:
    """A message ready to send. `position` is its index in the send."""

    position: int
    message: Message = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


def build_item(position: int, message: Message, *, has_profile: bool, is_ecommerce: bool = False) -> Item | Rejected:
    """Return the item of a message, or the Rejected that says why it could not be sent.

    `is_ecommerce`: name events as Segment's e-commerce specification does.
    """
    ids = _build_ids(message.person)
    if not ids:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    try:
        if message.kind == "profile":
            traits = {name: value for name, value in message.data.items() if has_profile or value is not None}
            if message.person.email:
                traits["email"] = message.person.email
            named = {"type": "identify", "messageId": f"profile-{message.written_at:x}-{message.delivery_id}"}
            return _fit(position, message, {**named, **ids}, "traits", traits)
        name, properties = (message.name or "").strip(), message.data
        if not name:
            return Rejected("event_name_missing")
        if is_ecommerce:
            usual, properties = name_event(message.cratejoy_name or name, message.data)
            name = name if message.cratejoy_name else usual
        message_id = message.message_id or f"event-{message.written_at:x}-{message.delivery_id}"
        track = {"type": "track", "event": name, "messageId": message_id, **_choose_id(ids)}
        return _fit(position, message, track, "properties", properties)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")


def make_anonymous_id(email: str) -> str:
    """Return the anonymous id of an address."""
    return str(uuid.uuid5(_PEOPLE, email))


def _build_ids(person: PersonRef) -> dict[str, str]:
    ids = {}
    if person.customer_id is not None:
        ids["userId"] = f"{CUSTOMER_ID_PREFIX}{person.customer_id}"
    if person.email:
        ids["anonymousId"] = make_anonymous_id(person.email)
    return ids


def _choose_id(ids: dict[str, str]) -> dict[str, str]:
    """Return one id: only an `identify` connects two."""
    return {"userId": ids["userId"]} if "userId" in ids else ids


def _fit(position: int, message: Message, call: dict[str, Any], key: str, data: dict[str, Any]) -> Item | Rejected:
    happened = datetime.fromtimestamp(message.at, UTC).isoformat().replace("+00:00", "Z")
    clean = drop_not_finite(data)
    body = to_json({**call, "timestamp": happened, key: clean})
    if len(body) <= MAX_ITEM_BYTES:
        return Item(position, message, body)
    fitted = shorten_texts(clean, MAX_ITEM_BYTES - _ENVELOPE_BYTES)
    if fitted is None:
        return Rejected("too_large", "the data is too long, even with its texts cut")
    return Item(position, message, to_json({**call, "timestamp": happened, key: fitted[0]}), fitted[1])
