"""Lists what needs a person now: checks every cause, and adds since when each item has been known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from redis import RedisError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.causes import CAUSES, silence
from pipeline.attention.item import AttentionItem, Cause, SetAside
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.stores import load_titles

log = structlog.get_logger(__name__)


def find_attention_items(context: Context, causes: Sequence[Cause] = CAUSES) -> list[AttentionItem]:
    """Everything that needs a person now, the most serious first."""
    known = _load_open_alarms(context)
    now = context.now()
    return [_add_alarm(item, known, now) for cause in causes for item in check_cause(cause, context) or ()]


def load_known_items(conn: Connection, now: int, causes: Sequence[Cause] = CAUSES) -> list[AttentionItem]:
    """The items as the last sweep left them, the most serious first. No cause is checked: it costs one query."""
    order = {cause.name: place for place, cause in enumerate(causes)}
    rows = sorted(list_open_alarms(conn), key=lambda row: (order.get(row.kind, len(order)), row.last_at or row.since))
    return [build_known_item(row, now) for row in rows]


def build_known_item(row: AlarmRow, now: int) -> AttentionItem:
    """The item that an alarm was opened for, in the words of the last sweep."""
    if not row.said:
        return replace(silence.build_item(row), set_aside=get_set_aside(row, now))
    said = row.said
    return AttentionItem(
        row.kind,
        row.subject,
        row.audience,
        said["headline"],
        said["effect"],
        said["to_do"],
        row.last_at or row.since,
        row.store,
        row.store_id,
        tuple(row.tried),
        row.reason,
        facts=said,
        alarm_id=row.id,
        told_at=row.told_at,
        set_aside=get_set_aside(row, now),
    )


def check_cause(cause: Cause, context: Context) -> list[AttentionItem] | None:
    """The items of a cause; None if they cannot be found now, for instance because a server does not answer."""
    try:
        return show_titles(cause.find_items(context), _load_titles(context))
    except (RedisError, SQLAlchemyError, OSError) as error:
        log.info("a cause could not be checked", cause=cause.name, error=type(error).__name__)
    except Exception:
        log.exception("a cause could not be checked", cause=cause.name)
    return None


def show_titles(items: Iterable[AttentionItem], titles: Mapping[str, str]) -> list[AttentionItem]:
    """The items, whose headlines begin with their store's title where it has one. `titles`: name -> title."""
    shown = []
    for item in items:
        title = titles.get(item.store or "")
        begins = f"{item.store}: "
        is_named = title is not None and item.headline.startswith(begins)
        shown.append(replace(item, headline=f"{title}: {item.headline.removeprefix(begins)}") if is_named else item)
    return shown


def _load_titles(context: Context) -> dict[str, str]:
    try:
        with reading(context.engine) as conn:
            return load_titles(conn)
    except SQLAlchemyError:
        return {}


def _load_open_alarms(context: Context) -> dict[tuple[str, str | int], AlarmRow]:
    """The open alarms by kind and subject; by kind and id if they have none."""
    try:
        with reading(context.engine) as conn:
            return {(alarm.kind, alarm.subject or alarm.id): alarm for alarm in list_open_alarms(conn)}
    except SQLAlchemyError:
        return {}


def is_worse(row: AlarmRow, item: AttentionItem) -> bool:
    """Whether a thing that was set aside has got worse since."""
    return row.set_aside_at is not None and (item.worse_at or 0) > row.set_aside_at


def get_set_aside(row: AlarmRow, now: int) -> SetAside | None:
    """Who set an alarm aside, and why; None if that holds no longer."""
    if row.set_aside_at is None or (row.set_aside_until is not None and row.set_aside_until <= now):
        return None
    return SetAside(row.set_aside_at, row.set_aside_reason or "", row.set_aside_email, row.set_aside_until)


def _add_alarm(item: AttentionItem, known: dict[tuple[str, str | int], AlarmRow], now: int) -> AttentionItem:
    row = known.get((item.cause, item.alarm_id or item.subject))
    if row is None:
        return item
    aside = None if is_worse(row, item) else get_set_aside(row, now)
    return replace(item, since=row.last_at or item.since, alarm_id=row.id, told_at=row.told_at, set_aside=aside)
