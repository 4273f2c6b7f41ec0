"""The messages that wait for a connection: how many there are now, and how late they were in the end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.schema.core import Delivery
from pipeline.monitoring.messages import format_time

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class ConnectionBacklog:
    """The backlog of one connection. `first_delivery_id`: the delivery that has waited longest; 0 if none waits."""

    count: int
    first_delivery_id: int = 0
    oldest_created_at: int | None = None

    def facts(self, connection_id: int) -> dict[str, str]:
        """What `summarize_cleared_backlog` needs."""
        return {"connection": str(connection_id), "first": str(self.first_delivery_id)}

    def __str__(self) -> str:
        if not self.count:
            return "No message waits"
        verb = "waits" if self.count == 1 else "wait"
        return f"{pluralize(self.count, 'message')} {verb} since {format_time(self.oldest_created_at)}"


def load_backlog(conn: Connection, connection_id: int) -> ConnectionBacklog:
    """The connection's backlog now."""
    query = select(func.count(), func.min(Delivery.id)).where(OPEN, Delivery.connection_id == connection_id)
    count, first = conn.execute(query).one()
    if first is None:
        return ConnectionBacklog(0)
    return ConnectionBacklog(
        count, first, conn.execute(select(Delivery.created_at).where(Delivery.id == first)).scalar_one()
    )


def summarize_cleared_backlog(context: Context, row: AlarmRow) -> str | None:
    """How many messages had to wait, and for how long; None while some still wait."""
    was_held = (
        Delivery.connection_id == int(row.said["connection"]),
        Delivery.id >= int(row.said["first"]),
        Delivery.created_at <= (row.ended_at or context.now()),
    )
    with reading(context.engine) as conn:
        if conn.execute(select(Delivery.id).where(OPEN, *was_held).limit(1)).scalar():
            return None
        max_delay = func.max(Delivery.done_at - Delivery.created_at)
        count, delay_us = conn.execute(
            select(func.count(), max_delay).where(*was_held, Delivery.done_at >= row.since)
        ).one()
    if not count or delay_us is None:
        return "No message had to wait."
    return f"{pluralize(count, 'message')} left, up to {max(1, delay_us // _MINUTE_US)} min late."


def format_platform_title(platform: str, label: str) -> str:
    """The name of a connection's platform for people."""
    destination = DESTINATIONS.get(platform)
    title = destination.title if destination else platform
    return f"{title} ({label})" if label else title
