"""Changes in the data of stores: which are open, and what is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from pipeline.ledger.monitoring.rows import HOUR_US
from pipeline.ledger.schema.core import Body, Event, Store
from pipeline.ledger.schema.monitoring import (
    ActivityCursor,
    DataChange,
    EventKeys,
    HourlyActivity,
    RateCheck,
    UsualRate,
)
from pipeline.ledger.sql.bulk import upsert
from pipeline.ledger.sql.tables import insert_into

RATE_DROP, RATE_SURGE = "rate_drop", "rate_surge"
RATE_KINDS = (RATE_DROP, RATE_SURGE)
KEPT_US = 30 * 86_400_000_000  # after the end of a change
_CURSOR_NAME = "keys"


@dataclass(frozen=True, slots=True)
class DataChangeRow:
    """A change as the ledger has it, with its store's name."""

    id: int
    store_id: int
    store: str
    event: str
    kind: str
    key: str
    was: str
    now: str
    event_id: int | None
    since: int
    found_at: int


def list_open_changes(conn: Connection) -> list[DataChangeRow]:
    """The changes that have not ended, by store, event and key."""
    names = [name for name in DataChangeRow.__slots__ if name != "store"]
    query = select(*(getattr(DataChange, name) for name in names), Store.name.label("store"))
    query = query.join(Store, Store.id == DataChange.store_id).where(DataChange.ended_at.is_(None))
    ordered = query.order_by(Store.name, DataChange.event, DataChange.kind, DataChange.key)
    return [DataChangeRow(**row._asdict()) for row in conn.execute(ordered)]


def open_change(conn: Connection, store_id: int, event: str, kind: str, at: int, **values: Any) -> None:
    """Open a change, unless the same is open; then only its figures change."""
    row = {"key": "", "was": "", "now": "", "event_id": None, "since": at, **values}
    statement = insert_into(conn, DataChange).values(store_id=store_id, event=event, kind=kind, found_at=at, **row)
    keys = ["store_id", "event", "kind", "key"]
    figures = {"was": row["was"], "now": row["now"]}
    conn.execute(
        statement.on_conflict_do_update(index_elements=keys, index_where=DataChange.ended_at.is_(None), set_=figures)
    )


def end_changes(
    conn: Connection,
    store_id: int,
    event: str,
    now: int,
    *,
    kinds: Collection[str],
    keys: Collection[str] | None = None,
) -> int:
    """End the open changes of an event of these kinds; `keys`: only those of these keys. Return how many there were."""
    is_open = DataChange.store_id == store_id, DataChange.event == event, DataChange.ended_at.is_(None)
    of_keys = [] if keys is None else [DataChange.key.in_(keys)]
    statement = update(DataChange).where(*is_open, DataChange.kind.in_(kinds), *of_keys)
    return conn.execute(statement.values(ended_at=now)).rowcount


def end_old_changes(conn: Connection, kinds: Collection[str], before: int, now: int) -> None:
    """End the changes of these kinds that were found before a time, and delete those that ended long ago."""
    is_old = DataChange.ended_at.is_(None), DataChange.kind.in_(kinds), DataChange.found_at < before
    conn.execute(update(DataChange).where(*is_old).values(ended_at=now))
    conn.execute(delete(DataChange).where(DataChange.ended_at < now - KEPT_US))


def take_as_usual(conn: Connection, store_id: int, event: str, now: int) -> None:
    """Learn the rate of an event from now on."""
    statement = insert_into(conn, UsualRate).values(store_id=store_id, event=event, since=now)
    conn.execute(statement.on_conflict_do_update(index_elements=["store_id", "event"], set_={"since": now}))


def load_usual_since(conn: Connection, store_id: int) -> dict[str, int]:
    """Event -> from when on its rate is learned, where a person has said so."""
    rows = conn.execute(select(UsualRate.event, UsualRate.since).where(UsualRate.store_id == store_id))
    return {row.event: row.since for row in rows}


def list_stores_with_unchecked_hours(conn: Connection, hour: int, limit: int) -> list[int]:
    """Stores with hooks whose rates were not checked up to this hour, the longest unchecked first."""
    last = func.coalesce(RateCheck.hour, 0)
    query = select(Store.id).join(RateCheck, RateCheck.store_id == Store.id, isouter=True).where(last < hour)
    return list(conn.execute(query.where(Store.removed_at.is_(None)).order_by(last, Store.id).limit(limit)).scalars())


def mark_rates_checked(conn: Connection, store_id: int, hour: int) -> None:
    """Record up to which hour the rates of a store were checked."""
    statement = insert_into(conn, RateCheck).values(store_id=store_id, hour=hour)
    conn.execute(statement.on_conflict_do_update(index_elements=["store_id"], set_={"hour": hour}))


def load_hourly_counts(conn: Connection, store_id: int, since: int) -> dict[str, dict[int, int]]:
    """Event -> hour since the epoch -> how many hooks came, since then (µs)."""
    columns = HourlyActivity.event, HourlyActivity.hour, HourlyActivity.hooks
    query = select(*columns).where(HourlyActivity.store_id == store_id, HourlyActivity.hour >= since // HOUR_US)
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    for event, hour, hooks in conn.execute(query):
        counts[event][hour] = hooks
    return dict(counts)


def get_keys_cursor(conn: Connection) -> int:
    """The id of the last event whose keys were looked at."""
    return conn.execute(select(ActivityCursor.event_id).where(ActivityCursor.name == _CURSOR_NAME)).scalar() or 0


def set_keys_cursor(conn: Connection, event_id: int) -> None:
    """Record it."""
    statement = insert_into(conn, ActivityCursor).values(name=_CURSOR_NAME, event_id=event_id)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"event_id": event_id}))


def load_bodies(conn: Connection, after: int, until: int, every: int, limit: int) -> Sequence[Any]:
    """Rows of hooks with ids in (after, until], one of every `every`.

    Each row: id, store_id, name, received_at, unknown, form, raw.
    """
    columns = (Event.id, Event.store_id, Event.name, Event.received_at, Event.unknown, Event.form, Body.raw)
    wanted = Event.id > after, Event.id <= until, Event.id % every == 0, Event.source == "hook"
    query = select(*columns).join(Body, Body.event_id == Event.id).where(*wanted)
    return conn.execute(query.order_by(Event.id).limit(limit)).all()


def load_event_keys(conn: Connection, pairs: Collection[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    """(store id, event) -> since, bodies, keys."""
    stores = {store_id for store_id, _ in pairs}
    rows = conn.execute(select(EventKeys.__table__).where(EventKeys.store_id.in_(stores)))
    return {(row.store_id, row.event): row for row in rows if (row.store_id, row.event) in pairs}


def save_event_keys(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save what is known of the keys of these events."""
    upsert(conn, EventKeys.__table__, list(rows), update_columns=("since", "bodies", "keys"))
