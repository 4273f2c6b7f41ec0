"""Writes the notices for CRATEWIRE_ALARM_URL: everything that opens and ends, however often, and a reminder each day.

Mails are held back when there are many, or when the same thing comes again. Notices are not: programs want all of it.
One waits until what is tried by itself has ended, or the alarm has.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import insert_notice, mark_noticed
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.monitoring.messages import AlertDigest, build_notice

REMINDER_US = 86_400_000_000  # after the last notice of an alarm; all open alarms of the account are repeated


def enqueue_notice(conn: Connection, context: Context, alarms: Sequence[AlarmRow], now: int) -> None:
    """Write the notice about these alarms of one account, if anything has changed or a reminder is due."""
    if context.settings.alarm_url is None:
        return
    opened = [row for row in alarms if row.noticed_at is None and _is_known(row)]
    ended = [row for row in alarms if row.ended_at is not None and row.end_noticed_at is None and _has_summary(row)]
    still_open = [row for row in alarms if row.noticed_at is not None and row.ended_at is None and not row.is_set_aside]
    is_reminder = any((row.noticed_at or now) <= now - REMINDER_US for row in still_open)
    if not (opened or ended or is_reminder):
        return
    insert_notice(conn, f"msg_{context.make_nonce()}", build_notice(AlertDigest(opened, still_open, ended), now), now)
    repeated = still_open if is_reminder else []
    mark_noticed(conn, [row.id for row in (*opened, *repeated)], [row.id for row in ended], now)


def _is_known(alarm: AlarmRow) -> bool:
    """Whether all is known that the notice of its opening says."""
    return alarm.ended_at is not None or (alarm.tried_at is not None and not alarm.is_set_aside)


def _has_summary(alarm: AlarmRow) -> bool:
    """Whether it is known what the alarm has cost; of one that no mail was sent about, that is not computed."""
    return not alarm.said or alarm.told_at is None or "over" in alarm.said
