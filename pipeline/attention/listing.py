"""Lists what needs a person now: checks every cause, and adds since when each item has been known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.stores import load_titles

log = structlog.get_logger(__name__)


def find_attention_items(context: Context, causes: Sequence[Cause] = CAUSES) -> list[AttentionItem]:
    """Everything that needs a person now, the most serious first."""
    known = _load_open_alarms(context)
    return [_add_alarm(item, known) for cause in causes for item in check_cause(cause, context) or ()]


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


def _load_open_alarms(context: Context) -> dict[tuple[str, str], AlarmRow]:
    try:
        with reading(context.engine) as conn:
            return {(alarm.kind, alarm.subject): alarm for alarm in list_open_alarms(conn) if alarm.subject}
    except SQLAlchemyError:
        return {}


def _add_alarm(item: AttentionItem, known: dict[tuple[str, str], AlarmRow]) -> AttentionItem:
    row = known.get((item.cause, item.subject))
    if row is None:
        return item
    return replace(item, since=row.last_at or item.since, alarm_id=row.id, told_at=row.told_at)
