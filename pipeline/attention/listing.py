"""Computes the list: looks at every cause now, and adds since when each item has been known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import Cause, Item, Sources
from pipeline.ledger.engine import reading
from pipeline.ledger.silence.alarms import AlarmRow, open_alarms

log = structlog.get_logger(__name__)


def attention(sources: Sources, causes: Sequence[Cause] = CAUSES) -> list[Item]:
    """Everything that needs a person now, the gravest first."""
    known = _known(sources)
    return [_dated(item, known) for cause in causes for item in look_at(cause, sources) or ()]


def look_at(cause: Cause, sources: Sources) -> list[Item] | None:
    """What of this cause is wrong now; None: that cannot be said, because a server does not answer."""
    try:
        return list(cause.look(sources))
    except (RedisError, SQLAlchemyError, OSError) as error:
        log.info("a cause could not be looked at", cause=cause.name, error=type(error).__name__)
    except Exception:
        log.exception("a cause could not be looked at", cause=cause.name)
    return None


def of_store(items: Sequence[Item], store: str) -> Iterator[Item]:
    """What the owners of a store's account can do something about."""
    return (one for one in items if one.store == store)


def _known(sources: Sources) -> dict[tuple[str, str], AlarmRow]:
    try:
        with reading(sources.engine) as db:
            return {(one.kind, one.subject): one for one in open_alarms(db) if one.subject}
    except SQLAlchemyError:
        return {}


def _dated(item: Item, known: dict[tuple[str, str], AlarmRow]) -> Item:
    row = known.get((item.cause, item.subject))
    if row is None:
        return item
    return replace(item, since=row.last_at or item.since, alarm_id=row.id, told_at=row.told_at)
