"""Compares the kept counts with the rows that they count, and corrects them.

Only what still has its rows can be compared: not the hours of which retention has deleted some. Each comparison is one
statement, so that hooks that are recorded meanwhile are on both sides or on neither. A correction is added as any
change is, so that it holds whatever was counted meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, union_all

from pipeline.core.hooks import RECONCILE
from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import add_to_counts, load_marks
from pipeline.ledger.counts.keys import (
    DEAD,
    DUPLICATE,
    HOUR_US,
    HOURS_PER_DAY,
    NO_NAME,
    NOT_OF_EVENTS,
    OF_NO_STORE,
    RECOVERED,
    CountKey,
)
from pipeline.ledger.schema.core import DeadHook, Event
from pipeline.ledger.schema.counts import CountChange, DailyCount, EventRepeat, HourlyCount, TotalCount
from pipeline.ledger.schema.retention import PastCount

_ONE = literal(1)


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that is not what the rows say. `what`: hour, day or name."""

    store_id: int
    what: str
    when: int | str  # the hour or day since the epoch, or the event's name
    outcome: str
    missing: int  # rows that are not counted; negative: so many are counted that have no row


def find_differences(conn: Connection, since_hour: int = 0, first_event_id: int = 0) -> list[Difference]:
    """Every difference by hour and by day, from an hour since the epoch on.

    `first_event_id`: no event of these hours has a smaller id, so that older events need not be read.
    """
    marks = load_marks(conn)
    first = {name: max(since_hour, marks.get(name, -1) + 1, marks.get("hours", -1) + 1) for name in _ROWS}
    days = {name: -(-hour // HOURS_PER_DAY) for name, hour in first.items()}
    by_hour = _compare(conn, "hour", first, first_event_id, (HourlyCount.hour, CountChange.hour))
    by_day = _compare(conn, "day", days, first_event_id, (DailyCount.day, CountChange.hour // HOURS_PER_DAY))
    return [*by_hour, *by_day]


def find_total_differences(conn: Connection) -> list[Difference]:
    """Every difference of the totals. It reads all events. Repeats of deleted events have no row: they are left out."""
    events = _rows(Event.store_id, Event.name.label("part"), Event.outcome, _ONE.label("number"))
    dead = _rows(
        *(func.coalesce(DeadHook.store_id, OF_NO_STORE), DeadHook.event, literal(DEAD), literal(1)),
    ).where(DeadHook.replayed_at.is_(None))
    past = _rows(PastCount.store_id, PastCount.name, PastCount.outcome, PastCount.number)
    counted = [
        _rows(row.store_id, row.name, row.outcome, -row.number).where(row.outcome != DUPLICATE, row.name != NO_NAME)
        for row in (TotalCount, CountChange)
    ]
    return _read(conn, "name", [events, dead, past.where(PastCount.outcome != "replayed"), *counted])


def correct_counts(conn: Connection, differences: Sequence[Difference]) -> None:
    """Correct these differences."""
    hours = {
        CountKey(one.store_id, int(one.when), NO_NAME, one.outcome): one.missing
        for one in differences
        if one.what == "hour"
    }
    days = Counter({(one.store_id, one.when, one.outcome): one.missing for one in differences if one.what == "day"})
    for key, missing in hours.items():  # a correction by hour corrects its day as well
        days[key.store_id, key.hour // HOURS_PER_DAY, key.outcome] -= missing
    names = {(one.store_id, one.when, one.outcome): one.missing for one in differences if one.what == "name"}
    add_changes(conn, hours)
    add_to_counts(conn, DailyCount, ("store_id", "day", "outcome"), days)
    add_to_counts(conn, TotalCount, ("store_id", "name", "outcome"), names)


def _rows(*columns: Any) -> Select[Any]:
    """(store id, hour, day or name, outcome, number)."""
    return select(*columns)


def _event_rows(unit_us: int, first_event_id: int) -> list[Select[Any]]:
    part = (Event.received_at // unit_us).label("part")
    return [
        _rows(Event.store_id, part, Event.outcome, _ONE.label("number")).where(Event.id >= first_event_id),
        _rows(Event.store_id, part, literal(RECOVERED), _ONE.label("number")).where(
            Event.id >= first_event_id, Event.source == literal(RECONCILE, literal_execute=True)
        ),
    ]


def _dead_rows(unit_us: int, _: int) -> list[Select[Any]]:
    store_id, part = func.coalesce(DeadHook.store_id, OF_NO_STORE), (DeadHook.received_at // unit_us).label("part")
    return [
        _rows(store_id, part, literal(DEAD), _ONE.label("number")).where(DeadHook.replayed_at.is_(None)),
    ]


def _repeat_rows(unit_us: int, _: int) -> list[Select[Any]]:
    part = (EventRepeat.hour // (unit_us // HOUR_US)).label("part")
    return [_rows(EventRepeat.store_id, part, literal(DUPLICATE), EventRepeat.times)]


# The mark of a kind of rows -> its rows, as (store, hour or day, outcome, number); and the outcomes that they have.
_ROWS = {"events": _event_rows, "dead_hooks": _dead_rows, "repeats": _repeat_rows}


def _is_of(name: str, outcome: Any) -> ColumnElement[bool]:
    if name == "events":
        others = [one for one in NOT_OF_EVENTS if one != RECOVERED]
        return outcome.not_in(others)  # type: ignore[no-any-return]
    return outcome == {"dead_hooks": DEAD, "repeats": DUPLICATE}[name]  # type: ignore[no-any-return]


def _compare(
    conn: Connection, what: str, first: dict[str, int], first_event_id: int, columns: tuple[Any, Any]
) -> list[Difference]:
    unit_us = HOUR_US * (HOURS_PER_DAY if what == "day" else 1)
    parts: list[Select[Any]] = []
    for name, build in _ROWS.items():
        for rows in build(unit_us, first_event_id):
            inner = rows.selected_columns["part"]
            parts.append(rows.where(inner.element >= first[name]))
        for model, column in zip((HourlyCount if what == "hour" else DailyCount, CountChange), columns, strict=True):
            is_counted = column >= first[name], _is_of(name, model.outcome)
            parts.append(_rows(model.store_id, column, model.outcome, -model.number).where(*is_counted))
    return _read(conn, what, parts)


def _read(conn: Connection, what: str, parts: Sequence[Select[Any]]) -> list[Difference]:
    rows = union_all(*parts).subquery()
    store_id, when, outcome, number = rows.c
    missing = func.sum(number)
    query = select(store_id, when, outcome, missing).group_by(store_id, when, outcome).having(missing != 0)
    return [
        Difference(row[0], what, row[1], row[2], int(row[3]))
        for row in conn.execute(query.order_by(store_id, when, outcome))
    ]
