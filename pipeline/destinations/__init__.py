"""The registry of messaging platforms: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.core.messages import Message
from pipeline.destinations.base import Destination, RequestText
from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.customerio.preview import preview
from pipeline.destinations.http import AnyHTTP
from pipeline.destinations.http.preview import preview as preview_http
from pipeline.destinations.klaviyo import Klaviyo
from pipeline.destinations.klaviyo.preview import preview as preview_klaviyo
from pipeline.destinations.mailchimp import Mailchimp
from pipeline.destinations.mailchimp.preview import preview as preview_mailchimp
from pipeline.destinations.segment import Segment
from pipeline.destinations.segment.preview import preview as preview_segment
from pipeline.destinations.webhook import SignedWebhook
from pipeline.destinations.webhook.preview import preview as preview_webhook

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
    Klaviyo.platform: Klaviyo,
    Mailchimp.platform: Mailchimp,
    Segment.platform: Segment,
    SignedWebhook.platform: SignedWebhook,
    AnyHTTP.platform: AnyHTTP,
}
PREVIEWS: dict[str, Callable[[Message], RequestText | None]] = {
    CustomerIO.platform: preview,
    Klaviyo.platform: preview_klaviyo,
    Mailchimp.platform: preview_mailchimp,
    Segment.platform: preview_segment,
    SignedWebhook.platform: preview_webhook,
}
# Of platforms whose requests depend on the config of the connection.
PREVIEWS_BY_CONFIG: dict[str, Callable[[Message, Mapping[str, str]], RequestText | None]] = {
    AnyHTTP.platform: preview_http,
}


def preview_message(
    platform: str, message: Message, load_config: Callable[[], Mapping[str, str]]
) -> RequestText | None:
    """Return the request that would carry a message; None if there is none. `load_config`: only called if needed."""
    by_config = PREVIEWS_BY_CONFIG.get(platform)
    if by_config is not None:
        return by_config(message, load_config())
    alone = PREVIEWS.get(platform)
    return alone(message) if alone is not None else None
