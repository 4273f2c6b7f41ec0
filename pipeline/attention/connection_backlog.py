"""What waits at a connection: how much there is now, and what it came to once it has left."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import AlarmRow
from pipeline.ledger.schema.core import Delivery
from pipeline.monitoring.messages import format_time

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class ConnectionBacklog:
    """Of one connection. `first`: the id of the delivery that has waited longest; 0 if none waits."""

    count: int
    first: int = 0
    oldest_at: int | None = None

    def facts(self, connection_id: int) -> dict[str, str]:
        """What `left` needs."""
        return {"connection": str(connection_id), "first": str(self.first)}

    def __str__(self) -> str:
        if not self.count:
            return "No message waits"
        verb = "waits" if self.count == 1 else "wait"
        return f"{pluralize(self.count, 'message')} {verb} since {format_time(self.oldest_at)}"


def load_backlog(db: Connection, connection_id: int) -> ConnectionBacklog:
    """What waits there now."""
    query = select(func.count(), func.min(Delivery.id)).where(OPEN, Delivery.connection_id == connection_id)
    count, first = db.execute(query).one()
    if first is None:
        return ConnectionBacklog(0)
    return ConnectionBacklog(
        count, first, db.execute(select(Delivery.created_at).where(Delivery.id == first)).scalar_one()
    )


def summarize_cleared_backlog(context: Context, row: AlarmRow) -> str | None:
    """How much had waited, and how long; None while some of it still waits."""
    held = (
        Delivery.connection_id == int(row.said["connection"]),
        Delivery.id >= int(row.said["first"]),
        Delivery.created_at <= (row.ended_at or context.now()),
    )
    with reading(context.engine) as db:
        if db.execute(select(Delivery.id).where(OPEN, *held).limit(1)).scalar():
            return None
        late = func.max(Delivery.done_at - Delivery.created_at)
        count, longest = db.execute(select(func.count(), late).where(*held, Delivery.done_at >= row.since)).one()
    if not count or longest is None:
        return "No message had to wait."
    return f"{pluralize(count, 'message')} left, up to {max(1, longest // _MINUTE_US)} min late."


def format_platform_title(platform: str, label: str) -> str:
    """A connection's platform as people write it."""
    known = DESTINATIONS.get(platform)
    title = known.title if known else platform
    return f"{title} ({label})" if label else title
