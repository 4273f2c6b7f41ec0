"""Collects from the ledger in which hours hooks of each event came from each store. Recovered events do not count."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, case, delete, func, select, update

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.monitoring.rows import HOUR_US, ActiveHour
from pipeline.ledger.schema.core import Event
from pipeline.ledger.schema.monitoring import ActivityCursor, HourlyActivity
from pipeline.ledger.sql.tables import insert_into

MAX_EVENTS_PER_BATCH = 50_000  # in one transaction
_CURSOR_NAME = "events"


def collect_activity(conn: Connection, settled_id: int | None = None) -> bool:
    """Add the events since the cursor; returns whether there are more. Each event's row is read only once, ever.

    `settled_id`: the id up to which no event is missing any more; None for all that there are.
    """
    conn.execute(insert_into(conn, ActivityCursor).values(name=_CURSOR_NAME, event_id=0).on_conflict_do_nothing())
    cursor = select(ActivityCursor.event_id).where(ActivityCursor.name == _CURSOR_NAME).with_for_update()
    since = conn.execute(cursor).scalar_one()
    wanted = Event.id > since if settled_id is None else Event.id.between(since + 1, settled_id)
    ids = select(Event.id).where(wanted).order_by(Event.id).limit(MAX_EVENTS_PER_BATCH).subquery()
    count, until = conn.execute(select(func.count(), func.max(ids.c.id)).select_from(ids)).one()
    if not count:
        return False
    _merge_hours(conn, since, until)
    conn.execute(update(ActivityCursor).where(ActivityCursor.name == _CURSOR_NAME).values(event_id=until))
    return bool(count == MAX_EVENTS_PER_BATCH)


def load_active_hours(conn: Connection, store_id: int, since: int) -> dict[str, list[ActiveHour]]:
    """Event -> the hours since then (µs) in which its hooks came, oldest first."""
    columns = HourlyActivity.event, HourlyActivity.hour, HourlyActivity.first_at, HourlyActivity.last_at
    query = select(*columns).where(HourlyActivity.store_id == store_id, HourlyActivity.hour >= since // HOUR_US)
    found: dict[str, list[ActiveHour]] = defaultdict(list)
    for event, *rest in conn.execute(query.order_by(HourlyActivity.hour)):
        found[event].append(ActiveHour(*rest))
    return dict(found)


def delete_old_hours(conn: Connection, store_id: int, before: int) -> None:
    """Delete hours that are too old to learn from."""
    conn.execute(
        delete(HourlyActivity).where(HourlyActivity.store_id == store_id, HourlyActivity.hour < before // HOUR_US)
    )


def _merge_hours(conn: Connection, since: int, until: int) -> None:
    hour = (Event.received_at // HOUR_US).label("hour")
    first, last = func.min(Event.received_at).label("first_at"), func.max(Event.received_at).label("last_at")
    columns = (Event.store_id, Event.name.label("event"), hour, func.count().label("hooks"), first, last)
    from_hooks = Event.id > since, Event.id <= until, Event.source == "hook", Event.name.in_(EVENTS)
    query = select(*columns).where(*from_hooks).group_by(Event.store_id, Event.name, hour)
    rows = [row._asdict() for row in conn.execute(query)]
    if not rows:
        return
    statement, old = insert_into(conn, HourlyActivity), HourlyActivity
    new = statement.excluded
    merged = {
        "hooks": old.hooks + new.hooks,
        "first_at": case((new.first_at < old.first_at, new.first_at), else_=old.first_at),
        "last_at": case((new.last_at > old.last_at, new.last_at), else_=old.last_at),
    }
    conn.execute(statement.on_conflict_do_update(index_elements=["store_id", "event", "hour"], set_=merged), rows)
