"""Requests as curl commands to copy: the hook as Cratejoy sent it, and each message. Keys are placeholders."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations import preview_message
from pipeline.ledger.queries import DeliveryDetail, EventDetail
from pipeline.mapping.rules import AS_IT_IS, ConnectionMapping, apply_mapping

_JSON = "Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Curl:
    """A command, and what its placeholders stand for."""

    command: str = field(repr=False)
    help: str


def build_hook_curl(detail: EventDetail, public_url: str) -> str:
    """The hook of an event, with the file of *Save all bytes*."""
    event = detail.event
    address = f"{public_url}/hooks/{event.store}/TOKEN/{event.name}"
    return _format("POST", address, [_JSON], f"@event-{event.id}.bin")


def build_message_curl(
    delivery: DeliveryDetail,
    load_config: Callable[[int], Mapping[str, str]],
    mappings: Mapping[int, ConnectionMapping],
) -> Curl | None:
    """A message on its own; None if its content is gone, or its platform cannot say.

    `load_config`: returns the config of a connection, for the platforms whose requests depend on it.
    `mappings`: of connections, by their ids.
    """
    content = delivery.message
    if delivery.kind == "forget" or not content.get("data"):
        return None
    message = Message(
        delivery.id,
        PersonRef(delivery.person_id, content.get("customer_id"), content.get("email")),
        "profile" if delivery.kind == "profile" else "event",
        content.get("at") or 0,
        content["data"],
        delivery.name,
        delivery.message_id,
    )
    message = apply_mapping(mappings.get(delivery.connection_id, AS_IT_IS), message)
    found = preview_message(delivery.platform, message, lambda: load_config(delivery.connection_id))
    if found is None:
        return None
    body = found.body.decode("utf-8", "replace")
    has_type = any(header.lower().startswith("content-type:") for header in found.headers)
    headers = found.headers if has_type or not body else (_JSON, *found.headers)
    return Curl(_format(found.method, found.url, headers, body, found.user), found.help)


def _format(method: str, url: str, headers: Sequence[str], body: str, user: str = "") -> str:
    """One command, a line for each option. A body that begins with @ is the name of a file."""
    who = ["--user", user] if user else []
    words = [
        "curl",
        "-X",
        method,
        url,
        *who,
        *(word for header in headers for word in ("-H", header)),
        *(("--data-binary", body) if body else ()),
    ]
    return " ".join(map(shlex.quote, words))
