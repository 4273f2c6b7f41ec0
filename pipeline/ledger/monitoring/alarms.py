"""Alarms: opened, tried to be ended by ourselves, told, ended, closed. One row each time something needs a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from pipeline.ledger.monitoring.rows import (
    ANY_EVENT,
    ENDPOINT,
    MERCHANT,
    OPERATOR,
    SILENCE,
    AlarmKey,
    AlarmRow,
    NewAlarm,
)
from pipeline.ledger.outbox import Outbox
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.monitoring import Alarm, HourlyActivity, Notice
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.sql.tables import get_table, insert_into


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice to send now to CRATEWIRE_ALARM_URL."""

    id: int
    name: str
    content: Mapping[str, Any]
    attempts: int


NOTICES = Outbox(get_table(Notice), ClaimedNotice, retention_us=30 * 86_400_000_000)


def insert_notice(conn: Connection, name: str, content: Mapping[str, Any], now: int) -> None:
    """Write a notice that is due at once, in the transaction of what it is about, and delete old notices."""
    NOTICES.delete_old(conn, now)
    conn.execute(insert(Notice).values(name=name, content=content, attempts=0, next_attempt_at=now, created_at=now))


def open_alarm(conn: Connection, wanted: NewAlarm, now: int) -> None:
    """From now on."""
    columns = ("kind", "store_id", "event", "last_at", "expected_us", "reason", "subject", "audience")
    given = {name: getattr(wanted, name) for name in columns} | {"said": dict(wanted.said)}
    tried = {"tried": list(wanted.tried), "tried_at": now if wanted.tried or wanted.skip_diagnostics else None}
    conn.execute(insert_into(conn, Alarm).values(**given, **tried, since=now).on_conflict_do_nothing())


def reopen_alarm(conn: Connection, kind: str, subject: str) -> bool:
    """Go on with one that has ended and whose end was not told yet: it was not over. False if there is none."""
    query = select(Alarm.id).where(Alarm.kind == kind, Alarm.subject == subject, Alarm.closed_at.is_(None))
    ended = conn.execute(query.where(Alarm.ended_at.is_not(None)).order_by(Alarm.id.desc()).limit(1)).scalar()
    if ended is None:
        return False
    conn.execute(update(Alarm).where(Alarm.id == ended).values(ended_at=None))
    return True


def list_open_alarms(conn: Connection, store_id: int | None = None, kind: str | None = None) -> list[AlarmRow]:
    """Those that have not ended, oldest first: of one store, of one kind, or all."""
    mine = [] if store_id is None else [Alarm.store_id == store_id]
    of_kind = [] if kind is None else [Alarm.kind == kind]
    return _select_alarms(conn, Alarm.ended_at.is_(None), *mine, *of_kind)


def list_recovered_stores(conn: Connection) -> list[int]:
    """Stores with an open alarm about a silence that a hook has ended, or whose hooks are no longer to come."""
    same = (HourlyActivity.event == Alarm.event) | (Alarm.event == ANY_EVENT)
    came = exists().where(HourlyActivity.store_id == Alarm.store_id, same, HourlyActivity.last_at > Alarm.last_at)
    unwanted = exists().where(StoreAPI.store_id == Alarm.store_id, StoreAPI.registers.is_(False))
    query = select(Alarm.store_id).where(Alarm.kind == SILENCE, Alarm.ended_at.is_(None), came | unwanted)
    return [store_id for store_id in conn.execute(query.distinct()).scalars() if store_id is not None]


def list_unclosed_alarms(conn: Connection) -> list[AlarmRow]:
    """Those of which somebody may still have to be told."""
    return _select_alarms(conn, Alarm.closed_at.is_(None))


def count_notifications_since(conn: Connection, account_id: int | None, since: int) -> int:
    """At how many moments since then something was told to an account's owners; None: to the operator."""
    stores = select(Store.id).where(Store.account_id == account_id)
    of_nobody = (Alarm.audience == OPERATOR) | Alarm.store_id.is_(None)
    mine = of_nobody if account_id is None else (Alarm.audience == MERCHANT) & Alarm.store_id.in_(stores)
    told = select(Alarm.told_at.label("at")).where(mine, Alarm.told_at >= since)
    ended = select(Alarm.closed_at.label("at")).where(mine, Alarm.closed_at >= since, Alarm.told_at.is_not(None))
    return conn.execute(select(func.count()).select_from(told.union(ended).subquery())).scalar_one()


def list_recently_closed(conn: Connection, since: int) -> set[AlarmKey]:
    """What was told as over since then."""
    columns = (Alarm.kind, Alarm.store_id, Alarm.event, Alarm.subject)
    query = select(*columns).where(Alarm.closed_at >= since, Alarm.told_at.is_not(None))
    return {(kind, store_id, event, subject) for kind, store_id, event, subject in conn.execute(query)}


def list_newest_alarms(conn: Connection, limit: int) -> list[AlarmRow]:
    """The newest, ended ones too."""
    return [*reversed(_select_alarms(conn, newest=limit))]


def list_alarms_since(conn: Connection, store_id: int, since: int) -> list[AlarmRow]:
    """Silences of a store, and times without a way in, that lasted at any time since then."""
    lasted = (Alarm.ended_at.is_(None)) | (Alarm.ended_at >= since)
    about_it = (Alarm.store_id == store_id) | Alarm.store_id.is_(None)
    return _select_alarms(conn, lasted, about_it, Alarm.kind.in_((SILENCE, ENDPOINT)))


def record_diagnostics(conn: Connection, ids: Collection[int], tried: Sequence[str], now: int) -> None:
    """What we tried ourselves, in sentences."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(tried=list(tried), tried_at=now))


def save_alarm_texts(conn: Connection, alarm_id: int, said: Mapping[str, str], **changed: Any) -> None:
    """What there is to say of it now."""
    conn.execute(update(Alarm).where(Alarm.id == alarm_id).values(said=dict(said), **changed))


def mark_notified(conn: Connection, ids: Collection[int], now: int) -> None:
    """Whoever must know was told that they are open."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(told_at=now))


def end_alarms(conn: Connection, ids: Collection[int], at: int) -> None:
    """They are over."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(ended_at=at))


def close_alarms(conn: Connection, ids: Collection[int], now: int) -> None:
    """Nobody need be told any more."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(closed_at=now))


def _select_alarms(conn: Connection, *conditions: ColumnElement[bool], newest: int | None = None) -> list[AlarmRow]:
    names = (Store.name.label("store"), Store.account_id)
    query = select(Alarm.__table__, *names).join(Store, Store.id == Alarm.store_id, isouter=True).where(*conditions)
    query = query.order_by(Alarm.id) if newest is None else query.order_by(Alarm.id.desc()).limit(newest)
    return [AlarmRow(**row._asdict()) for row in conn.execute(query)][:: 1 if newest is None else -1]
