"""Alarms: opened, diagnosed, notified, ended, closed. One row each time a person is needed. And notices about them."""

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
from pipeline.ledger.schema.accounts import Membership, User
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.monitoring import Alarm, HourlyActivity, Notice
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.ledger.sql.tables import insert_into


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice to send now to CRATEWIRE_ALARM_URL."""

    id: int
    name: str
    content: Mapping[str, Any]
    attempts: int


NOTICES = Outbox(Notice.__table__, ClaimedNotice, retention_us=30 * 86_400_000_000)


def insert_notice(conn: Connection, name: str, content: Mapping[str, Any], now: int) -> None:
    """Write a notice that is due at once, in the transaction of what it is about, and delete old notices."""
    NOTICES.delete_old(conn, now)
    conn.execute(insert(Notice).values(name=name, content=content, attempts=0, next_attempt_at=now, created_at=now))


def open_alarm(conn: Connection, alarm: NewAlarm, now: int) -> None:
    """Open an alarm, unless one with this kind and subject is open."""
    columns = ("kind", "store_id", "event", "last_at", "expected_us", "reason", "subject", "audience")
    values = {name: getattr(alarm, name) for name in columns} | {"said": dict(alarm.said)}
    tried = {"tried": list(alarm.tried), "tried_at": now if alarm.tried or alarm.skip_diagnostics else None}
    conn.execute(insert_into(conn, Alarm).values(**values, **tried, since=now).on_conflict_do_nothing())


def reopen_alarm(conn: Connection, kind: str, subject: str) -> bool:
    """Reopen an alarm whose end has not been notified yet. False if there is none."""
    query = select(Alarm.id).where(Alarm.kind == kind, Alarm.subject == subject, Alarm.closed_at.is_(None))
    ended = conn.execute(query.where(Alarm.ended_at.is_not(None)).order_by(Alarm.id.desc()).limit(1)).scalar()
    if ended is None:
        return False
    conn.execute(update(Alarm).where(Alarm.id == ended).values(ended_at=None))
    return True


def list_open_alarms(conn: Connection, store_id: int | None = None, kind: str | None = None) -> list[AlarmRow]:
    """The alarms that have not ended, oldest first: of one store, of one kind, or all."""
    of_store = [] if store_id is None else [Alarm.store_id == store_id]
    of_kind = [] if kind is None else [Alarm.kind == kind]
    # One that has not ended is not closed either: this lets the index be used.
    return _select_alarms(conn, Alarm.ended_at.is_(None), Alarm.closed_at.is_(None), *of_store, *of_kind)


def count_open_alarms(conn: Connection, user_id: int) -> int:
    """How many open alarms that are not set aside concern the stores of a user."""
    mine = select(Store.id).join(Membership, Membership.account_id == Store.account_id)
    is_waiting = Alarm.ended_at.is_(None), Alarm.closed_at.is_(None), Alarm.set_aside_at.is_(None)
    query = select(func.count()).select_from(Alarm).where(*is_waiting)
    return conn.execute(query.where(Alarm.store_id.in_(mine.where(Membership.user_id == user_id)))).scalar_one()


def list_installation_alarms(conn: Connection) -> list[AlarmRow]:
    """The open alarms that concern no single store."""
    return _select_alarms(conn, Alarm.ended_at.is_(None), Alarm.closed_at.is_(None), Alarm.store_id.is_(None))


def list_recovered_stores(conn: Connection) -> list[int]:
    """Stores with an open silence alarm that a hook has ended, or whose hooks were removed."""
    same_event = (HourlyActivity.event == Alarm.event) | (Alarm.event == ANY_EVENT)
    same_store = HourlyActivity.store_id == Alarm.store_id
    came = exists().where(same_store, same_event, HourlyActivity.last_at > Alarm.last_at)
    unwanted = exists().where(StoreAPI.store_id == Alarm.store_id, StoreAPI.registers.is_(False))
    query = select(Alarm.store_id).where(Alarm.kind == SILENCE, Alarm.ended_at.is_(None), came | unwanted)
    return [store_id for store_id in conn.execute(query.distinct()).scalars() if store_id is not None]


def list_unclosed_alarms(conn: Connection) -> list[AlarmRow]:
    """The alarms that may still have to be notified, or whose end may."""
    return _select_alarms(conn, Alarm.closed_at.is_(None))


def count_notifications_since(conn: Connection, account_id: int | None, since: int) -> int:
    """The number of notifications since then to an account's owners; None: to the operator."""
    stores = select(Store.id).where(Store.account_id == account_id)
    to_operator = (Alarm.audience == OPERATOR) | Alarm.store_id.is_(None)
    to_them = to_operator if account_id is None else (Alarm.audience == MERCHANT) & Alarm.store_id.in_(stores)
    opened = select(Alarm.told_at.label("at")).where(to_them, Alarm.told_at >= since)
    ended = select(Alarm.closed_at.label("at")).where(to_them, Alarm.closed_at >= since, Alarm.told_at.is_not(None))
    return conn.execute(select(func.count()).select_from(opened.union(ended).subquery())).scalar_one()


def list_recently_closed(conn: Connection, since: int) -> set[AlarmKey]:
    """The keys of the alarms whose end was notified since then."""
    columns = (Alarm.kind, Alarm.store_id, Alarm.event, Alarm.subject)
    query = select(*columns).where(Alarm.closed_at >= since, Alarm.told_at.is_not(None))
    return {(kind, store_id, event, subject) for kind, store_id, event, subject in conn.execute(query)}


def list_ended_alarms(
    conn: Connection, since: int, limit: int, store_ids: Collection[int], common_kinds: Collection[str] | None = None
) -> list[AlarmRow]:
    """The alarms of these stores that ended since then, the last to end first.

    `common_kinds`: which of those that concern no single store are among them; None: all.
    """
    is_common = Alarm.store_id.is_(None) if common_kinds is None else Alarm.kind.in_(common_kinds)
    visible = Alarm.store_id.in_(store_ids) | (Alarm.store_id.is_(None) & is_common)
    order = Alarm.ended_at.desc(), Alarm.id.desc()
    return _select_alarms(conn, Alarm.ended_at >= since, visible, order=order, limit=limit)


def find_alarm(conn: Connection, alarm_id: int) -> AlarmRow | None:
    """The alarm with this id."""
    return next(iter(_select_alarms(conn, Alarm.id == alarm_id)), None)


def list_newest_alarms(conn: Connection, limit: int) -> list[AlarmRow]:
    """The newest alarms, newest first, including ended alarms."""
    return _select_alarms(conn, order=(Alarm.id.desc(),), limit=limit)


def list_alarms_since(conn: Connection, store_id: int, since: int) -> list[AlarmRow]:
    """Silence alarms of a store, and endpoint alarms, that were open at any time since then."""
    was_open = (Alarm.ended_at.is_(None)) | (Alarm.ended_at >= since)
    concerns_store = (Alarm.store_id == store_id) | Alarm.store_id.is_(None)
    return _select_alarms(conn, was_open, concerns_store, Alarm.kind.in_((SILENCE, ENDPOINT)))


def record_diagnostics(conn: Connection, ids: Collection[int], tried: Sequence[str], now: int) -> None:
    """Save the results of the diagnostics, one sentence each."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(tried=list(tried), tried_at=now))


def save_alarm_texts(conn: Connection, alarm_id: int, said: Mapping[str, str], **changed: Any) -> None:
    """Save an alarm's present texts."""
    conn.execute(update(Alarm).where(Alarm.id == alarm_id).values(said=dict(said), **changed))


def mark_noticed(conn: Connection, opened: Collection[int], ended: Collection[int], now: int) -> None:
    """Record which alarms a notice has said to be open, and which to be over."""
    conn.execute(update(Alarm).where(Alarm.id.in_(opened)).values(noticed_at=now))
    conn.execute(update(Alarm).where(Alarm.id.in_(ended)).values(end_noticed_at=now))


def mark_notified(conn: Connection, ids: Collection[int], now: int) -> None:
    """Record that the opening of these alarms was notified."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(told_at=now))


def end_alarms(conn: Connection, ids: Collection[int], at: int) -> None:
    """Record that these alarms are over."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(ended_at=at))


def close_alarms(conn: Connection, ids: Collection[int], now: int) -> None:
    """Close alarms that need no further notification."""
    conn.execute(update(Alarm).where(Alarm.id.in_(ids)).values(closed_at=now))


def _select_alarms(
    conn: Connection,
    *conditions: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (Alarm.id.asc(),),
    limit: int | None = None,
) -> list[AlarmRow]:
    names = (Store.name.label("store"), Store.account_id, Store.title.label("store_title"))
    query = select(Alarm.__table__, *names, User.email.label("set_aside_email")).where(*conditions)
    query = query.join(Store, Store.id == Alarm.store_id, isouter=True)
    query = query.join(User, User.id == Alarm.set_aside_by, isouter=True)
    return [AlarmRow(**row._asdict()) for row in conn.execute(query.order_by(*order).limit(limit))]
