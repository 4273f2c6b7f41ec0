"""The registry of messaging platforms: one line each."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.messages import Message
from pipeline.destinations.base import Destination, RequestText
from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.customerio.preview import preview

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
}
PREVIEWS: dict[str, Callable[[Message], RequestText | None]] = {
    CustomerIO.platform: preview,
}
