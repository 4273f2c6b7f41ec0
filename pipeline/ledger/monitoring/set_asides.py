"""What people have set aside of the things that need them, and what has come back."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, update

from pipeline.ledger.schema.monitoring import Alarm

_NOT_SET_ASIDE = {"set_aside_at": None, "set_aside_by": None, "set_aside_reason": None, "set_aside_until": None}
_ANNOUNCED_AGAIN = {"told_at": None, "noticed_at": None}


def save_set_aside(
    conn: Connection, alarm_id: int, *, reason: str, until: int | None, user_id: int | None, now: int
) -> bool:
    """Set an open alarm aside. False if it has ended, or is set aside already."""
    is_open = Alarm.id == alarm_id, Alarm.ended_at.is_(None), Alarm.set_aside_at.is_(None)
    values = {"set_aside_at": now, "set_aside_by": user_id, "set_aside_reason": reason, "set_aside_until": until}
    return conn.execute(update(Alarm).where(*is_open).values(values)).rowcount == 1


def bring_back(conn: Connection, ids: Collection[int]) -> int:
    """Bring back what was set aside, and let it be announced as if it were new. Return how many there were."""
    return _bring_back(conn, Alarm.id.in_(ids))


def bring_back_expired(conn: Connection, now: int) -> int:
    """Bring back what was set aside until a time that has come."""
    return _bring_back(conn, Alarm.set_aside_until <= now)


def _bring_back(conn: Connection, which: ColumnElement[bool]) -> int:
    is_aside = which, Alarm.set_aside_at.is_not(None), Alarm.ended_at.is_(None)
    return conn.execute(update(Alarm).where(*is_aside).values({**_NOT_SET_ASIDE, **_ANNOUNCED_AGAIN})).rowcount
