"""Whether an event's messages can be sent again, and what the buttons for that say."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.roles import Role, is_allowed
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.queries import EventDetail
from receiver.replay_view import name_platforms


@dataclass(frozen=True, slots=True)
class WaysToReplay:
    """retry: a message was refused. again: one has arrived. `platforms`: where these messages go."""

    retry: bool = False
    again: bool = False
    platforms: str = ""


def find_ways_to_replay(detail: EventDetail, role: Role) -> WaysToReplay:
    """Return how this user may send the event's messages again; some roles may not."""
    messages = [one for one in detail.deliveries if one.message != EMPTY_MESSAGE]
    if not is_allowed(role, "replay") or not messages:
        return WaysToReplay()
    statuses = {message.status for message in messages}
    platforms = name_platforms(sorted({message.platform for message in messages}))
    return WaysToReplay("dead" in statuses, "sent" in statuses, platforms)
