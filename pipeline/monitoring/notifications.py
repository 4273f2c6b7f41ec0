"""Tells whoever must know of an alarm: once when it opens, once a day while it lasts, once when it is over.

Everything about one account's stores that is to be told at one time is one letter and one notice. What opens is told at
once, unless the same thing was over less than an hour ago. An account gets a few letters an hour at the most; what is
left over is the next letter's. What is told is written down in the transaction that notes it as told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import (
    ENDPOINT,
    MERCHANT,
    AlarmKey,
    AlarmRow,
    close_alarms,
    count_notifications_since,
    insert_notice,
    list_recently_closed,
    list_unclosed_alarms,
    mark_notified,
)
from pipeline.ledger.owners import list_first_owner_emails, list_owner_emails
from pipeline.mail.outbox import enqueue_mail
from pipeline.mail.transport import MailMessage
from pipeline.monitoring.messages import AlertDigest, build_mail_text, build_notice, build_subject

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MAX_MAILS_PER_HOUR = 6
OPERATOR_ACCOUNT_ID = 0  # instead of an account's id: no account has it


def enqueue_notifications(conn: Connection, context: Context, now: int) -> int:
    """Tell what is to be told now; to how many accounts."""
    alarms = list_unclosed_alarms(conn)
    close_alarms(conn, [one.id for one in alarms if one.ended_at is not None and one.told_at is None], now)
    lately = list_recently_closed(conn, now - HOUR_US)
    told = 0
    for account_id, mine in _group_by_account(alarms):
        news = build_digest(mine, now, lately)
        if news is not None and count_notifications_since(conn, account_id or None, now - HOUR_US) < MAX_MAILS_PER_HOUR:
            _enqueue_digest(conn, context, account_id, news, now)
            told += 1
    return told


def build_digest(alarms: Sequence[AlarmRow], now: int, recently_ended: Collection[AlarmKey] = ()) -> AlertDigest | None:
    """What of these alarms is to be told now; None if nothing is. `lately`: what was over within the last hour."""
    untold = [one for one in alarms if one.ended_at is None and one.told_at is None and one.tried_at is not None]
    opened = [one for one in untold if one.place not in recently_ended]
    known = [one for one in alarms if one.ended_at is None and one.told_at is not None]
    ended = [one for one in alarms if one.ended_at is not None and one.told_at is not None and _has_summary(one)]
    return AlertDigest(opened, known, ended) if opened or ended or _is_reminder_due(known, now) else None


def _is_reminder_due(known: Sequence[AlarmRow], now: int) -> bool:
    """Whether one of these was last told of a day ago; then all are told of again."""
    return any((one.told_at or now) <= now - DAY_US for one in known)


def _has_summary(alarm: AlarmRow) -> bool:
    """Whether there is nothing more to find out about what it has cost."""
    return not alarm.said or "over" in alarm.said


def _enqueue_digest(conn: Connection, context: Context, account_id: int | None, digest: AlertDigest, now: int) -> None:
    subject, text = build_subject(digest), build_mail_text(digest, context.settings.public_url)
    for address in _find_recipients(conn, context, account_id):
        enqueue_mail(conn, context.settings.secret_keys, MailMessage(address, subject, text), now)
    if context.settings.alarm_url is not None:
        insert_notice(conn, f"msg_{context.make_nonce()}", build_notice(digest, now), now)
    reminded = digest.still_open if _is_reminder_due(digest.still_open, now) else ()
    mark_notified(conn, [one.id for one in (*digest.opened, *reminded)], now)
    close_alarms(conn, [one.id for one in digest.ended], now)


def _find_recipients(conn: Connection, context: Context, account_id: int | None) -> Collection[str]:
    """A store whose account has no owner to write to is the operator's concern."""
    if account_id is None:
        return sorted({*list_owner_emails(conn, None), *context.settings.operator_mail})
    if account_id == OPERATOR_ACCOUNT_ID:
        return context.settings.operator_mail or list_first_owner_emails(conn)
    return list_owner_emails(conn, account_id) or context.settings.operator_mail


def _group_by_account(alarms: Sequence[AlarmRow]) -> Iterator[tuple[int | None, list[AlarmRow]]]:
    """None: for all owners."""
    ordered = sorted(
        alarms, key=lambda one: (_get_account_id(one) is not None, _get_account_id(one) or OPERATOR_ACCOUNT_ID, one.id)
    )
    for account_id, mine in groupby(ordered, key=_get_account_id):
        yield account_id, list(mine)


def _get_account_id(alarm: AlarmRow) -> int | None:
    """A broken way in concerns the owners of all stores; what else is the operator's concerns no other."""
    if alarm.kind == ENDPOINT:
        return None
    return alarm.account_id if alarm.audience == MERCHANT else OPERATOR_ACCOUNT_ID
