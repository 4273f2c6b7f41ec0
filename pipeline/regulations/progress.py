"""Where regulations stand at the platforms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.deliveries.forgetting import list_forget_progress

# state -> what pages and commands say
FORGET_STATES = {"open": "waiting", "done": "forgotten", "failed": "failed", "unsupported": "cannot forget people"}


def format_destination(place: Mapping[str, Any]) -> str:
    """One of `describe_destinations` in words: `Customer.io: waiting`."""
    known = DESTINATIONS.get(str(place["platform"]))
    title = known.title if known else str(place["platform"])
    return f"{title}: {FORGET_STATES[str(place['state'])]}"


def describe_destinations(conn: Connection, regulation_ids: Collection[int]) -> list[dict[str, Any]]:
    """One document for each regulation and connection: open, done, failed or unsupported, and why. Times are µs."""
    return [
        {
            "regulation": one.regulation_id,
            "connection": one.connection_id,
            "platform": one.platform,
            "mode": one.mode,
            "state": one.state,
            "reason": one.reason,
            "asked_at": one.asked_at,
            "done_at": one.done_at,
        }
        for one in list_forget_progress(conn, regulation_ids)
    ]
