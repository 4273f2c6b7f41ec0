"""Keeps the alarms' rows in step with the list: opens what is new, renews what is said, ends what is over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import Cause, Item, Sources
from pipeline.attention.listing import look_at
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.alarms import (
    AlarmRow,
    NewAlarm,
    end_alarms,
    note_said,
    note_tried,
    open_alarm,
    open_alarms,
    reopen_alarm,
    unclosed_alarms,
)

PATIENCE_US = 600_000_000  # then an end is told without what it has cost
OVER = "over"


def note(sources: Sources, causes: Sequence[Cause] = CAUSES) -> None:
    """Look at every cause and write down what has changed."""
    for cause in causes:
        if cause.is_noted:
            items = look_at(cause, sources)
            if items is not None:
                _note(sources, cause, items)
    _note_ends(sources, {cause.name: cause for cause in causes})


def _note(sources: Sources, cause: Cause, items: Sequence[Item]) -> None:
    """Nothing is written if nothing has changed: a commit costs a disk its time."""
    with reading(sources.engine) as db:
        rows = {one.subject: one for one in open_alarms(db, kind=cause.name)}
    seen = {item.subject: item for item in items}
    new = [item for subject, item in seen.items() if subject not in rows]
    changed = [(rows[subject], item) for subject, item in seen.items() if subject in rows]
    changed = [(row, item) for row, item in changed if _is_other(row, item)]
    gone = [row.id for subject, row in rows.items() if subject not in seen]
    if not (new or changed or gone):
        return
    with writing(sources.engine) as db:
        for item in new:
            if not reopen_alarm(db, item.cause, item.subject):
                open_alarm(db, _alarm_of(item), sources.now)
        for row, item in changed:
            _renew(db, row, item, sources.now)
        end_alarms(db, gone, sources.now)


def _alarm_of(item: Item) -> NewAlarm:
    return NewAlarm(
        item.cause,
        item.store_id,
        last_at=item.since,
        reason=item.reason,
        tried=item.tried if item.is_final else (),
        subject=item.subject,
        audience=item.audience,
        said={**item.facts, **_said(item)},
        is_tried=item.is_final,
    )


def _said(item: Item) -> dict[str, str]:
    return {"headline": item.headline, "effect": item.effect, "to_do": item.to_do}


def _without_end(row: AlarmRow) -> dict[str, str]:
    """What was said of it; if it was thought to be over, that is no longer so."""
    return {name: text for name, text in row.said.items() if name != OVER}


def _is_other(row: AlarmRow, item: Item) -> bool:
    said = {**_without_end(row), **_said(item)} != row.said
    return said or (item.is_final and (row.tried_at is None or tuple(row.tried) != item.tried))


def _renew(db: Connection, row: AlarmRow, item: Item, now: int) -> None:
    note_said(db, row.id, {**_without_end(row), **_said(item)})
    if item.is_final:
        note_tried(db, [row.id], item.tried, row.tried_at or now)


def _note_ends(sources: Sources, causes: dict[str, Cause]) -> None:
    """Find out what each item that has ended has cost, as soon as that can be known."""
    with reading(sources.engine) as db:
        ended = [one for one in unclosed_alarms(db) if one.ended_at and one.said and OVER not in one.said]
    for row in ended:
        cause = causes.get(row.kind)
        over = _over(sources, cause, row) if cause else ""
        if over is None and sources.now < (row.ended_at or 0) + PATIENCE_US:
            continue
        with writing(sources.engine) as db:
            note_said(db, row.id, {**row.said, OVER: over or ""})


def _over(sources: Sources, cause: Cause, row: AlarmRow) -> str | None:
    try:
        return cause.over(sources, row)
    except SQLAlchemyError:
        return None
