"""Builds Klaviyo's events (Klaviyo docs, Events API).

`unique_id` keeps an event that is sent again from being counted again. `backfill` records what happened long ago
without starting a flow.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.json_text import byte_length, drop_not_finite, shorten_texts, to_json, truncate
from pipeline.destinations.klaviyo.names import EVENT_NAMES, find_value
from pipeline.destinations.klaviyo.profiles import identify

MAX_EVENT_BYTES = 1_000_000  # Klaviyo takes 5 MB; no event of a shop comes near
MAX_TEXT_BYTES = 100_000
MAX_PROPERTIES = 300  # Klaviyo docs say 400, its older ones 300
MAX_LEVELS = 10
MAX_ITEMS = 4_000
MAX_METRIC_CHARACTERS = 127
FLOW_AGE_S = 72 * 3600  # our choice: an event that happened longer ago starts no flow


def build_event(message: Message, now_s: float, *, has_klaviyo_names: bool) -> dict[str, Any] | Rejected:
    """Return the event's attributes with its profile, or the Rejected that says why it cannot be sent.

    `now_s`: when it is sent, for its age. `has_klaviyo_names`: name it as Klaviyo's own integrations do.
    """
    named = identify(message.person, is_whole=False)
    if not named:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    name = (message.name or "").strip()
    if not name:
        return Rejected("event_name_missing")
    if len(message.data) > MAX_PROPERTIES:
        return Rejected("too_large", f"more than {MAX_PROPERTIES} properties")
    metric = (EVENT_NAMES.get(name, name) if has_klaviyo_names else name)[:MAX_METRIC_CHARACTERS]
    try:
        properties = _limit(drop_not_finite(message.data), 1)
        fitted = shorten_texts(properties, MAX_EVENT_BYTES)
    except RecursionError:
        return Rejected("too_deep", "the data is nested too deeply")
    if fitted is None:
        return Rejected("too_large", "the data is too long, even with its texts cut")
    event = {
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": {"data": {"type": "profile", "attributes": named}},
        "properties": fitted[0],
        "time": datetime.fromtimestamp(message.at, UTC).isoformat(),
        "unique_id": message.message_id or f"event-{message.written_at:x}-{message.delivery_id}",
        **find_value(message.cratejoy_name or name, message.data),
    }
    return {**event, "backfill": True} if now_s - message.at > FLOW_AGE_S else event


def event_body(event: dict[str, Any]) -> bytes:
    """Return the body of `events`."""
    return to_json({"data": {"type": "event", "attributes": event}})


def bulk_body(events: list[dict[str, Any]]) -> bytes:
    """Return the body of `event-bulk-create-jobs`. Each event has an entry of its own, by which an error names it."""
    entries = []
    for event in events:
        attributes = {name: value for name, value in event.items() if name != "profile"}
        inner = {"profile": event["profile"], "events": {"data": [{"type": "event", "attributes": attributes}]}}
        entries.append({"type": "event-bulk-create", "attributes": inner})
    job = {"events-bulk-create": {"data": entries}}
    return to_json({"data": {"type": "event-bulk-create-job", "attributes": job}})


def _limit(value: Any, level: int) -> Any:
    """Return the value within the limits of one property: what lies deeper than ten levels becomes JSON text."""
    if isinstance(value, str):
        return truncate(value, MAX_TEXT_BYTES) if byte_length(value) > MAX_TEXT_BYTES else value
    if not isinstance(value, dict | list):
        return value
    if level > MAX_LEVELS:
        return truncate(to_json(value).decode(), MAX_TEXT_BYTES)
    if isinstance(value, list):
        return [_limit(one, level + 1) for one in value[:MAX_ITEMS]]
    return {name: _limit(one, level + 1) for name, one in value.items()}
