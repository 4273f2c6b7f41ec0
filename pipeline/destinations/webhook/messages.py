"""The bodies that a signed web hook carries: one profile, one event, or the request to forget a person.

Standard Webhooks 1.0.0: `type` is of letters, digits, underscores and dots, `timestamp` is when it happened, `data` is
the rest. The id is the same on every try, so that the receiver knows a repeated message.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.core.messages import ForgetMode, Identifiers, Message, PersonRef, Rejected
from pipeline.destinations.json_text import drop_not_finite, to_json

MAX_BODY_BYTES = 256_000  # our own limit: Standard Webhooks recommends 20 kB, and names no maximum
TEST_TYPE = "webhook.test"
_DIGEST_CHARACTERS = 32
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A message ready to be signed. `id` is the receiver's idempotency key."""

    id: str
    type: str
    body: bytes = field(repr=False)


def build_message(message: Message) -> SignedBody | Rejected:
    """Return the body of a profile or an event, or the Rejected that says why it cannot be sent."""
    person = _describe_person(message.person)
    if not person:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    if message.kind == "profile":
        named = f"profile_{message.delivery_id}"
        return _build(named, "profile.updated", message.at, {"person": person, "attributes": message.data})
    name = (message.name or "").strip()
    if not name:
        return Rejected("event_name_missing")
    named = message.message_id or f"event_{message.delivery_id}"
    data = {"person": person, "event": name, "properties": message.data}
    return _build(named, f"event.{_OTHER_CHARACTERS.sub('_', name)}", message.at, data)


def build_forget(identifiers: Identifiers, mode: ForgetMode) -> SignedBody | None:
    """Return the request to forget a person under every identifier; None if there is none."""
    people = [
        *({"customer_id": customer_id} for customer_id in identifiers.customer_ids),
        *({"email": email} for email in identifiers.emails),
    ]
    if not people:
        return None
    body = to_json(_envelope(f"person.{mode}", identifiers.asked_at, {"identifiers": people}))
    digest = hashlib.sha256(body).hexdigest()[:_DIGEST_CHARACTERS]  # of all identifiers, which an id must not show
    return SignedBody(f"{mode}_{identifiers.asked_at}_{digest}", f"person.{mode}", body)


def build_test(at: int) -> SignedBody:
    """Return the message that tries an address."""
    return SignedBody(f"test_{at}", TEST_TYPE, to_json(_envelope(TEST_TYPE, at, {})))


def _build(message_id: str, kind: str, at: int, data: Mapping[str, Any]) -> SignedBody | Rejected:
    try:
        body = _encode(_envelope(kind, at, data))
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")
    if len(body) > MAX_BODY_BYTES:
        return Rejected("too_large", f"more than {MAX_BODY_BYTES} bytes")
    return SignedBody(message_id, kind, body)


def _encode(value: dict[str, Any]) -> bytes:
    try:
        return to_json(value)
    except ValueError:  # a number that JSON has no text for
        return to_json(drop_not_finite(value))


def _envelope(kind: str, at: int, data: Mapping[str, Any]) -> dict[str, Any]:
    happened = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    return {"type": kind, "timestamp": happened, "data": data}


def _describe_person(person: PersonRef) -> dict[str, Any]:
    named = {"customer_id": person.customer_id, "email": person.email}
    return {name: value for name, value in named.items() if value}
