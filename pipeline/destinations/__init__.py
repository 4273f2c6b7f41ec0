"""The registry of messaging platforms: one line each."""

from __future__ import annotations

from pipeline.destinations.base import Destination
from pipeline.destinations.customerio import CustomerIO

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
}
