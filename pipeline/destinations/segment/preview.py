"""The request that carries one message, as text for people: with a placeholder where the write key stands."""

from __future__ import annotations

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.base import RequestText
from pipeline.destinations.segment.items import build_item
from pipeline.destinations.segment.sending import BATCH_PATH, batch_body

_BASE_URL = "https://api.segment.io/v1"
_HELP = "WRITE_KEY stands for the source's key; other regions and RudderStack have other addresses."


def preview(message: Message) -> RequestText | None:
    """Return the request of a message on its own; None if it could not be sent."""
    item = build_item(0, message, has_profile=message.has_profile)
    if isinstance(item, Rejected):
        return None
    return RequestText("POST", f"{_BASE_URL}{BATCH_PATH}", batch_body([item.body]), "WRITE_KEY:", help=_HELP)
