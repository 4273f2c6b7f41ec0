"""The last events of a store, as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.events.money import format_money
from pipeline.ledger.queries import Activity, ActivityFilter, list_activity, load_activities
from receiver.pages.activity.wording import Mark, describe_outcome


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event with what became of it in words."""

    event: Activity
    marks: Sequence[Mark]

    @property
    def id(self) -> int:
        return self.event.id


def load_recent(conn: Connection, store_id: int, limit: int, now: int) -> list[RecentEvent]:
    """The newest events of a store."""
    found = list_activity(conn, ActivityFilter(store_ids=(store_id,)), format_money, limit=limit)
    return [RecentEvent(event, describe_outcome(event, now)) for event in found]


def load_one(conn: Connection, event_id: int, now: int) -> RecentEvent | None:
    """One event of a store that the caller may see."""
    event = next(iter(load_activities(conn, [event_id], format_money)), None)
    return None if event is None else RecentEvent(event, describe_outcome(event, now))
