"""Keeps the alarms in step with the items: opens new alarms, updates their texts, and ends those that are over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem, Cause
from pipeline.attention.listing import check_cause, is_worse
from pipeline.attention.remedies import REMEDIES
from pipeline.context import Context
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import (
    end_alarms,
    list_open_alarms,
    list_unclosed_alarms,
    open_alarm,
    record_diagnostics,
    reopen_alarm,
    save_alarm_texts,
)
from pipeline.ledger.monitoring.rows import AlarmRow, NewAlarm
from pipeline.ledger.monitoring.set_asides import bring_back, bring_back_expired

SUMMARY_TIMEOUT_US = 600_000_000  # then the end is announced without a summary
SUMMARY_KEY = "over"


def sync_alarms(context: Context, causes: Sequence[Cause] = CAUSES) -> None:
    """Check every cause and write what has changed. What was set aside comes back when its time is over."""
    for cause in causes:
        if cause.manages_alarms and (items := check_cause(cause, context)) is not None:
            _sync_cause(context, cause, items)
    _bring_back_expired(context)
    _add_summaries(context, {cause.name: cause for cause in causes})


def _sync_cause(context: Context, cause: Cause, items: Sequence[AttentionItem]) -> None:
    """Write nothing if nothing has changed: a commit costs time on a disk."""
    with reading(context.engine) as conn:
        rows = {alarm.subject: alarm for alarm in list_open_alarms(conn, kind=cause.name)}
    found = {item.subject: item for item in items}
    new = [item for subject, item in found.items() if subject not in rows]
    changed = [(rows[subject], item) for subject, item in found.items() if subject in rows]
    changed = [(row, item) for row, item in changed if _has_changed(row, item)]
    gone = [row.id for subject, row in rows.items() if subject not in found]
    worse = [row.id for row, item in changed if is_worse(row, item)]
    if not (new or changed or gone):
        return
    now = context.now()
    with writing(context.engine) as conn:
        for item in new:
            if not reopen_alarm(conn, item.cause, item.subject):
                open_alarm(conn, _build_alarm(item), now)
        for row, item in changed:
            _update_alarm(conn, row, item, now)
        bring_back(conn, worse)
        end_alarms(conn, gone, now)


def _build_alarm(item: AttentionItem) -> NewAlarm:
    return NewAlarm(
        item.cause,
        item.store_id,
        last_at=item.since,
        reason=item.reason,
        tried=item.tried if item.is_final else (),
        subject=item.subject,
        audience=item.audience,
        said={**item.facts, **_build_texts(item)},
        skip_diagnostics=item.is_final,
    )


def _build_texts(item: AttentionItem) -> dict[str, str]:
    remedy = REMEDIES.get(item.cause)
    command = {"command": remedy.format_command(item)} if remedy else {}
    return {"headline": item.headline, "effect": item.effect, "to_do": item.to_do, **command}


def _without_summary(row: AlarmRow) -> dict[str, str]:
    """The texts of an alarm. A summary is dropped: the alarm is not over after all."""
    return {name: text for name, text in row.said.items() if name != SUMMARY_KEY}


def _has_changed(row: AlarmRow, item: AttentionItem) -> bool:
    have_texts_changed = {**_without_summary(row), **_build_texts(item)} != row.said
    is_back = is_worse(row, item)
    return have_texts_changed or is_back or (item.is_final and (row.tried_at is None or tuple(row.tried) != item.tried))


def _update_alarm(conn: Connection, row: AlarmRow, item: AttentionItem, now: int) -> None:
    save_alarm_texts(conn, row.id, {**_without_summary(row), **_build_texts(item)})
    if item.is_final:
        record_diagnostics(conn, [row.id], item.tried, row.tried_at or now)


def _bring_back_expired(context: Context) -> None:
    with reading(context.engine) as conn:
        aside = [row for row in list_open_alarms(conn) if row.is_set_aside]
    if any(row.set_aside_until is not None and row.set_aside_until <= context.now() for row in aside):
        with writing(context.engine) as conn:
            bring_back_expired(conn, context.now())


def _add_summaries(context: Context, causes: dict[str, Cause]) -> None:
    """Add to each alarm that has ended what it has cost, as soon as that is known."""
    with reading(context.engine) as conn:
        unclosed = list_unclosed_alarms(conn)
    ended = [alarm for alarm in unclosed if alarm.ended_at and alarm.said and SUMMARY_KEY not in alarm.said]
    for row in ended:
        cause = causes.get(row.kind)
        summary = _build_summary(context, cause, row) if cause else ""
        if summary is None and context.now() < (row.ended_at or 0) + SUMMARY_TIMEOUT_US:
            continue
        with writing(context.engine) as conn:
            save_alarm_texts(conn, row.id, {**row.said, SUMMARY_KEY: summary or ""})


def _build_summary(context: Context, cause: Cause, row: AlarmRow) -> str | None:
    try:
        return cause.summarize(context, row)
    except SQLAlchemyError:
        return None
