"""The request that carries one message, as text for people: with a placeholder where the private key stands."""

from __future__ import annotations

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.base import RequestText
from pipeline.destinations.klaviyo.client import JSON_API, REVISION
from pipeline.destinations.klaviyo.events import build_event, event_body
from pipeline.destinations.klaviyo.profiles import build_profile, profile_body

BASE_URL = "https://a.klaviyo.com"
_HEADERS = ("Authorization: Klaviyo-API-Key PRIVATE_KEY", f"revision: {REVISION}", f"Content-Type: {JSON_API}")
_HELP = "PRIVATE_KEY stands for the account's private key."


def preview(message: Message) -> RequestText | None:
    """Return the request of a message on its own; None if it could not be sent."""
    if message.kind == "profile":
        profile = build_profile(message)
        if isinstance(profile, Rejected):
            return None
        url, body = f"{BASE_URL}/api/profile-import", profile_body(profile[0])
    else:
        event = build_event(message, message.written_at / 1_000_000, has_klaviyo_names=False)
        if isinstance(event, Rejected):
            return None
        url, body = f"{BASE_URL}/api/events", event_body(event)
    return RequestText("POST", url, body, headers=_HEADERS, help=_HELP)
