"""Listens to the ledger: in which hours each store told us of which event. What we found ourselves does not count."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, select, update

from pipeline.events.table import EVENTS
from pipeline.ledger.silence_tables import HeardHour, Listening
from pipeline.ledger.tables import Event
from pipeline.ledger.upsert import insert_into

HOUR_US = 3_600_000_000
AT_ONCE = 50_000  # events that are looked at in one transaction
_NAME = "events"


@dataclass(frozen=True, slots=True)
class Heard:
    """An hour in which hooks came; the first and the last of them in µs."""

    hour: int
    first_at: int
    last_at: int


def listen(db: Connection) -> bool:
    """Go on from where we were; whether there is more. Each event's row is read once, however long it is kept."""
    db.execute(insert_into(db, Listening).values(name=_NAME, event_id=0).on_conflict_do_nothing())
    place = select(Listening.event_id).where(Listening.name == _NAME).with_for_update()
    since = db.execute(place).scalar_one()
    ids = select(Event.id).where(Event.id > since).order_by(Event.id).limit(AT_ONCE).subquery()
    count, until = db.execute(select(func.count(), func.max(ids.c.id)).select_from(ids)).one()
    if not count:
        return False
    _note(db, since, until)
    db.execute(update(Listening).where(Listening.name == _NAME).values(event_id=until))
    return bool(count == AT_ONCE)


def hours_of(db: Connection, store_id: int, since: int) -> dict[str, list[Heard]]:
    """Event -> the hours since then (µs) in which it was told, oldest first."""
    mine = HeardHour.store_id == store_id, HeardHour.hour >= since // HOUR_US
    query = select(HeardHour.event, HeardHour.hour, HeardHour.first_at, HeardHour.last_at).where(*mine)
    found: dict[str, list[Heard]] = defaultdict(list)
    for event, *rest in db.execute(query.order_by(HeardHour.hour)):
        found[event].append(Heard(*rest))
    return dict(found)


def forget_hours(db: Connection, store_id: int, before: int) -> None:
    """Forget what is too long ago to learn from."""
    db.execute(delete(HeardHour).where(HeardHour.store_id == store_id, HeardHour.hour < before // HOUR_US))


def _note(db: Connection, since: int, until: int) -> None:
    hour = (Event.received_at // HOUR_US).label("hour")
    first, last = func.min(Event.received_at).label("first_at"), func.max(Event.received_at).label("last_at")
    columns = (Event.store_id, Event.name.label("event"), hour, func.count().label("hooks"), first, last)
    ours = Event.id > since, Event.id <= until, Event.source == "hook", Event.name.in_(EVENTS)
    rows = [
        row._asdict() for row in db.execute(select(*columns).where(*ours).group_by(Event.store_id, Event.name, hour))
    ]
    if not rows:
        return
    made, kept = insert_into(db, HeardHour), HeardHour
    new = made.excluded
    merged = {
        "hooks": kept.hooks + new.hooks,
        "first_at": case((new.first_at < kept.first_at, new.first_at), else_=kept.first_at),
        "last_at": case((new.last_at > kept.last_at, new.last_at), else_=kept.last_at),
    }
    db.execute(made.on_conflict_do_update(index_elements=["store_id", "event", "hour"], set_=merged), rows)
