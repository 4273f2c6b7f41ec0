"""Sets an item aside, with a reason, and brings it back. Both are announced to CRATEWIRE_ALARM_URL."""

from __future__ import annotations

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import About, Actor, record_action
from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import find_alarm, insert_notice
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.monitoring.set_asides import bring_back, save_set_aside
from pipeline.monitoring.messages import build_set_aside_notice

DAY_US = 86_400_000_000
MAX_DAYS = 90
MAX_REASON_CHARS = 500


def set_aside(context: Context, alarm_id: int, actor: Actor, *, reason: str, days: int | None = None) -> AlarmRow:
    """Set an open alarm aside for so many days; None: until it gets worse. Return it as it is afterwards.

    Raises Misconfigured if there is no reason, or the alarm is not open any more.
    """
    said = " ".join(reason.split())[:MAX_REASON_CHARS]
    if not said:
        raise Misconfigured("Say why it is set aside: others will read it")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise Misconfigured(f"It can be set aside for 1 to {MAX_DAYS} days, or until it gets worse")
    now = context.now()
    with writing(context.engine) as conn:
        until = None if days is None else now + days * DAY_US
        is_done = save_set_aside(conn, alarm_id, reason=said, until=until, user_id=actor.user_id, now=now)
        row = find_alarm(conn, alarm_id)
        if not is_done or row is None:
            raise Misconfigured("That is no longer possible: it is over, or was set aside meanwhile")
        record_alarm_action(conn, row, "attention.set_aside", actor, now)
        if context.settings.alarm_url is not None:
            insert_notice(conn, f"msg_{context.make_nonce()}", build_set_aside_notice(row, now), now)
    return row


def unset_aside(context: Context, alarm_id: int, actor: Actor) -> None:
    """Bring an item back. Raises Misconfigured if it is not set aside."""
    with writing(context.engine) as conn:
        row = find_alarm(conn, alarm_id)
        if row is None or not bring_back(conn, [alarm_id]):
            raise Misconfigured("That is no longer possible: it is over, or was brought back meanwhile")
        record_alarm_action(conn, row, "attention.brought_back", actor, context.now())


def record_alarm_action(
    conn: Connection, alarm: AlarmRow, action: str, actor: Actor, now: int, *, button: str | None = None
) -> None:
    """Write it to the audit log of the store's account. What concerns no store is in no account's log."""
    if alarm.account_id is None:
        return
    about: About = {"item": alarm.id, "cause": alarm.kind, "button": button}
    record_action(
        conn,
        account_id=alarm.account_id,
        actor=actor,
        action=action,
        at=now,
        store_id=alarm.store_id,
        about=about,
    )
