"""The messaging platforms we can deliver to: one line each."""

from __future__ import annotations

from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.port import Destination

DESTINATIONS: dict[str, type[Destination]] = {
    CustomerIO.platform: CustomerIO,
}
