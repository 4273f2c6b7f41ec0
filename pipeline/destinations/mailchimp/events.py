"""Builds members' events: a short name, and properties that are all texts (Mailchimp docs, Events).

Mailchimp knows no repeated events. Each carries our id in its properties, by which it is found again after a call whose
outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.json_text import to_json, truncate
from pipeline.destinations.mailchimp.fields import MAX_TEXT_BYTES

ID_PROPERTY = "cj_event_id"
MIN_NAME_CHARACTERS, MAX_NAME_CHARACTERS = 2, 30
MAX_PROPERTIES = 20  # our own limit: none is documented
FIRST_PROPERTIES = ("subject_id", "is_gift", "is_test", "total", "currency")
AUTOMATION_AGE_S = 72 * 3600  # our choice: an event that happened longer ago starts no automation
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9_-]+")


def build_event(message: Message, now_s: float) -> bytes | Rejected:
    """Return the body of an event. `now_s`: when it is sent; an old one is marked so that it starts nothing."""
    name = _OTHER_CHARACTERS.sub("_", (message.name or "").strip())[:MAX_NAME_CHARACTERS]
    if len(name) < MIN_NAME_CHARACTERS:
        return Rejected("event_name_missing")
    try:
        properties = _flatten(message.data)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")
    return to_json(
        {
            "name": name,
            "occurred_at": datetime.fromtimestamp(message.at, UTC).isoformat(),
            "is_syncing": now_s - message.at > AUTOMATION_AGE_S,
            "properties": {**properties, ID_PROPERTY: get_event_id(message)},
        }
    )


def get_event_id(message: Message) -> str:
    """Return the id by which the event is found again."""
    return message.message_id or f"event-{message.written_at:x}-{message.delivery_id}"


def _flatten(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the first values as texts: those that matter first, then those of the top level, then nested ones."""
    found = dict(_list_texts("", data))
    nested = {name: value for name, value in found.items() if name not in data}
    first = {name: found[name] for name in FIRST_PROPERTIES if name in found}
    top = {name: value for name, value in found.items() if name not in nested}
    return dict(list({**first, **top, **nested}.items())[: MAX_PROPERTIES - 1])


def _list_texts(prefix: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _list_texts(f"{prefix}{name}_", value)
        elif isinstance(value, bool):
            yield f"{prefix}{name}", str(value).lower()
        elif isinstance(value, str | int | float):
            yield f"{prefix}{name}", truncate(str(value), MAX_TEXT_BYTES)
