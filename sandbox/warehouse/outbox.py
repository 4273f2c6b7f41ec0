"""The events that the warehouse posts to shops that listen, until they are taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# The waits between attempts; 3PL Warehouse Manager gives up after about six hours.
RETRY_S: Sequence[int] = (5, 30, 120, 600, 1800, 3600, 3600, 3600, 3600, 3600)
HIGHEST_SUCCESS, GONE = 299, 410


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the events of a protocol go; 3PL Warehouse Manager signs with its own key, so it has no secret."""

    channel: str
    url: str
    secret: str = ""


@dataclass(slots=True)
class Notice:
    """An event on its way."""

    channel: str
    event: str
    order_number: str
    message_id: str
    body: bytes
    due_at: float
    state: str = "waiting"  # then sending, delivered or given_up
    statuses: list[int | None] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the notice as the control endpoint shows it."""
        return {
            "channel": self.channel,
            "event": self.event,
            "order_number": self.order_number,
            "message_id": self.message_id,
            "state": self.state,
            "statuses": self.statuses,
        }


class Outbox:
    """The listeners, and every notice since the last reset."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self.listeners: dict[str, Listener] = {}
        self.notices: list[Notice] = []

    def add(self, notice: Notice) -> None:
        """Take an event, if its protocol has a listener."""
        if notice.channel in self.listeners:
            self.notices.append(notice)

    def take_due(self, now: float) -> list[Notice]:
        """Return what is to be sent now, marked as being sent."""
        due = [notice for notice in self.notices if notice.state == "waiting" and notice.due_at <= now]
        for notice in due:
            notice.state = "sending"
        return due

    def record(self, notice: Notice, status: int | None, now: float) -> None:
        """Note the answer to an attempt; None means that there was none."""
        notice.statuses.append(status)
        attempts = len(notice.statuses)
        if status is not None and status <= HIGHEST_SUCCESS:
            notice.state = "delivered"
        elif status == GONE or attempts > len(RETRY_S):
            notice.state = "given_up"
        else:
            notice.state, notice.due_at = "waiting", now + RETRY_S[attempts - 1]
