"""Adds the changes of counts to the tables that pages read, and deletes what is too old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, literal_column, select

from pipeline.ledger.counts.keys import HOURS_PER_DAY, NO_NAME
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.schema.base import Base
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.counts import (
    CountChange,
    CountMark,
    DailyCount,
    EventRepeat,
    HourlyCount,
    TotalCount,
)
from pipeline.ledger.sql.tables import chunks, insert_into

MAX_CHANGES = 20_000  # in one transaction
MAX_DELETED = 2_000  # rows, in one transaction
KEEP_HOURS = 100 * HOURS_PER_DAY  # of the counts by hour; those by day are kept for ever
Key = tuple[Any, ...]
_FENCE = "counts"


def fold_changes(conn: Connection) -> bool:
    """Add the oldest changes to the counts; returns whether there are more. Two processes fold one after the other.

    A store that was removed meanwhile is not counted any more.
    """
    lock_fence(conn, _FENCE)
    columns = (CountChange.id, CountChange.store_id, CountChange.hour, CountChange.name, CountChange.outcome)
    query = select(*columns, CountChange.number).order_by(CountChange.id).limit(MAX_CHANGES)
    rows = conn.execute(query).all()
    if not rows:
        return False
    stores = {0, *conn.execute(select(Store.id).where(Store.id.in_({row.store_id for row in rows}))).scalars()}
    hours, days, totals = Counter[Key](), Counter[Key](), Counter[Key]()
    for row in rows:
        if row.store_id in stores:
            hours[row.store_id, row.hour, row.outcome] += row.number
            days[row.store_id, row.hour // HOURS_PER_DAY, row.outcome] += row.number
            if row.name != NO_NAME:
                totals[row.store_id, row.name, row.outcome] += row.number
    add_to_counts(conn, HourlyCount, ("store_id", "hour", "outcome"), hours)
    add_to_counts(conn, DailyCount, ("store_id", "day", "outcome"), days)
    add_to_counts(conn, TotalCount, ("store_id", "name", "outcome"), totals)
    for part in chunks(row.id for row in rows):
        conn.execute(delete(CountChange).where(CountChange.id.in_(part)))
    return len(rows) == MAX_CHANGES


def count_changes(conn: Connection) -> int:
    """About how many changes wait: ids grow by one for each."""
    oldest, newest = conn.execute(select(func.min(CountChange.id), func.max(CountChange.id))).one()
    return 0 if oldest is None else newest - oldest + 1


def add_to_counts(conn: Connection, model: type[Base], key: tuple[str, ...], more: Mapping[Key, int]) -> None:
    """Add these numbers to the rows of one table of counts."""
    rows = [{**dict(zip(key, values, strict=True)), "number": number} for values, number in sorted(more.items())]
    rows = [row for row in rows if row["number"]]
    if rows:
        statement = insert_into(conn, model)
        added = {"number": model.__table__.c.number + statement.excluded.number}
        conn.execute(statement.on_conflict_do_update(index_elements=key, set_=added), rows)


def has_waiting_changes(conn: Connection) -> bool:
    """Whether there is something to fold."""
    return conn.execute(select(CountChange.id).limit(1)).scalar() is not None


def has_old_counts(conn: Connection, now_hour: int, keep_repeats_hours: int) -> bool:
    """Whether there is something that `delete_old_counts` deletes."""
    limits = _list_limits(now_hour, keep_repeats_hours)
    return any(conn.execute(select(model.hour).where(model.hour < hour).limit(1)).first() for model, _, hour in limits)


def delete_old_counts(conn: Connection, now_hour: int, keep_repeats_hours: int) -> int:
    """Delete some counts by hour, and hours of repeats, that are too old; returns how many rows.

    `keep_repeats_hours` 0: repeats are kept for ever.
    """
    return sum(_delete_before(conn, *limit) for limit in _list_limits(now_hour, keep_repeats_hours))


def _list_limits(now_hour: int, keep_repeats_hours: int) -> list[tuple[type[HourlyCount | EventRepeat], str, int]]:
    """(table, name of its mark, the first hour that is kept)."""
    repeats = [(EventRepeat, "repeats", now_hour - keep_repeats_hours)] if keep_repeats_hours else []
    return [(HourlyCount, "hours", now_hour - KEEP_HOURS), *repeats]


def raise_mark(conn: Connection, name: str, hour: int) -> None:
    """Remember that rows up to this hour were deleted."""
    statement = insert_into(conn, CountMark).values(name=name, hour=hour)
    is_later = CountMark.hour < statement.excluded.hour
    values = {"hour": statement.excluded.hour}
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values, where=is_later))


def load_marks(conn: Connection) -> dict[str, int]:
    """Name -> the last hour of which rows were deleted."""
    return {row.name: row.hour for row in conn.execute(select(CountMark.name, CountMark.hour))}


def _delete_before(conn: Connection, model: type[HourlyCount | EventRepeat], name: str, hour: int) -> int:
    row_id: ColumnElement[Any] = literal_column("rowid" if conn.dialect.name == "sqlite" else "ctid")
    old = select(row_id).select_from(model).where(model.hour < hour).limit(MAX_DELETED)
    deleted = conn.execute(delete(model).where(row_id.in_(old)).execution_options(synchronize_session=False)).rowcount
    if deleted:
        raise_mark(conn, name, hour - 1)
    return deleted
