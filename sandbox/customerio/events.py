"""A stored event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.customerio.limits import CAMPAIGN_WINDOW_S

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a person."""

    name: str
    id: str | None
    timestamp: int
    data: Mapping[str, Any]
    received_at: int
    call: int

    @property
    def can_start_campaigns(self) -> bool:
        """Return whether the event can start a campaign: it is at most 72 hours old."""
        return self.received_at // US_PER_S - self.timestamp <= CAMPAIGN_WINDOW_S

    def as_json(self) -> Mapping[str, Any]:
        """Return the event as the control endpoint shows it."""
        return {
            "name": self.name,
            "id": self.id,
            "timestamp": self.timestamp,
            "data": self.data,
            "received_at": self.received_at,
            "call": self.call,
            "can_start_campaigns": self.can_start_campaigns,
        }
