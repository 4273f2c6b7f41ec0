"""The registry of messaging platforms: one line each."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.messages import Message
from pipeline.destinations.base import Destination, RequestText
from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.customerio.preview import preview
from pipeline.destinations.klaviyo import Klaviyo
from pipeline.destinations.klaviyo.preview import preview as preview_klaviyo
from pipeline.destinations.segment import Segment
from pipeline.destinations.segment.preview import preview as preview_segment
from pipeline.destinations.webhook import SignedWebhook
from pipeline.destinations.webhook.preview import preview as preview_webhook

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
    Klaviyo.platform: Klaviyo,
    Segment.platform: Segment,
    SignedWebhook.platform: SignedWebhook,
}
PREVIEWS: dict[str, Callable[[Message], RequestText | None]] = {
    CustomerIO.platform: preview,
    Klaviyo.platform: preview_klaviyo,
    Segment.platform: preview_segment,
    SignedWebhook.platform: preview_webhook,
}
