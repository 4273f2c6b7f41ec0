"""The registry of messaging platforms: one line each."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.messages import Message
from pipeline.destinations.base import Destination, RequestText
from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.customerio.preview import preview
from pipeline.destinations.webhook import SignedWebhook
from pipeline.destinations.webhook.preview import preview as preview_webhook

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
    SignedWebhook.platform: SignedWebhook,
}
PREVIEWS: dict[str, Callable[[Message], RequestText | None]] = {
    CustomerIO.platform: preview,
    SignedWebhook.platform: preview_webhook,
}
