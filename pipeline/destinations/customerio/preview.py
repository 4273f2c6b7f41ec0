"""The request that carries one message, as text for people: with placeholders where the keys stand."""

from __future__ import annotations

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.base import RequestText
from pipeline.destinations.customerio.batches import batch_body
from pipeline.destinations.customerio.items import build_item

_BASE_URL = "https://track.customer.io"  # of the other region: track-eu.customer.io
_USER = "SITE_ID:API_KEY"
_HELP = "SITE_ID and API_KEY stand for the keys; accounts in the EU use track-eu.customer.io."


def preview(message: Message) -> RequestText | None:
    """Return the request of a message on its own; None if it could not be sent."""
    item = build_item(0, message, has_profile=message.has_profile)
    if isinstance(item, Rejected):
        return None
    endpoint = item.own_endpoint
    if endpoint is None:
        return RequestText("POST", f"{_BASE_URL}/api/v2/batch", batch_body([item.body]), _USER, help=_HELP)
    return RequestText(endpoint.method, f"{_BASE_URL}{endpoint.path}", item.body, _USER, help=_HELP)
