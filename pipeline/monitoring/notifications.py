"""Notifies people of an alarm: once when it opens, once a day while it lasts, and once when it is over.

All alarms of one account's stores that are due at one time make one mail. A new alarm is announced at once, unless the
same alarm ended less than an hour ago. An account gets a few mails an hour at most; what is left goes into the next
mail. Mails are written in the transaction that marks the alarms as notified. What is set aside is not mentioned.
Notices are written beside them (`notices`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.ledger.accounts import list_first_owner_emails, list_owner_emails
from pipeline.ledger.monitoring.alarms import (
    close_alarms,
    count_notifications_since,
    list_recently_closed,
    list_unclosed_alarms,
    mark_notified,
)
from pipeline.ledger.monitoring.rows import ENDPOINT, MERCHANT, AlarmKey, AlarmRow
from pipeline.mail.outbox import enqueue_mail
from pipeline.mail.transport import MailMessage
from pipeline.monitoring.messages import AlertDigest, build_mail_text, build_subject
from pipeline.monitoring.notices import enqueue_notice

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MAX_MAILS_PER_HOUR = 6
OPERATOR_ACCOUNT_ID = 0  # in place of an account's id: no account has this id


def enqueue_notifications(conn: Connection, context: Context, now: int) -> int:
    """Write the mails and notices that are due now. Return for how many accounts."""
    alarms = list_unclosed_alarms(conn)
    recently_ended = list_recently_closed(conn, now - HOUR_US)
    notified = 0
    for account_id, group in _group_by_account(alarms):
        enqueue_notice(conn, context, group, now)
        digest = build_digest(group, now, recently_ended)
        if (
            digest is not None
            and count_notifications_since(conn, account_id or None, now - HOUR_US) < MAX_MAILS_PER_HOUR
        ):
            _enqueue_digest(conn, context, account_id, digest, now)
            notified += 1
    unannounced = [alarm.id for alarm in alarms if alarm.ended_at is not None and alarm.told_at is None]
    close_alarms(conn, unannounced, now)
    return notified


def build_digest(alarms: Sequence[AlarmRow], now: int, recently_ended: Collection[AlarmKey] = ()) -> AlertDigest | None:
    """The digest of these alarms that is due now; None if none is. `recently_ended`: alarms of the last hour."""
    new = [row for row in alarms if row.ended_at is None and row.told_at is None and not row.is_set_aside]
    opened = [alarm for alarm in new if alarm.tried_at is not None and alarm.place not in recently_ended]
    known = _list_known(alarms)
    ended = [row for row in alarms if row.ended_at is not None and row.told_at is not None and _has_summary(row)]
    return AlertDigest(opened, known, ended) if opened or ended or _is_reminder_due(known, now) else None


def _list_known(alarms: Sequence[AlarmRow]) -> list[AlarmRow]:
    """The open alarms that people were notified of and have not set aside."""
    return [
        alarm for alarm in alarms if alarm.ended_at is None and alarm.told_at is not None and not alarm.is_set_aside
    ]


def _is_reminder_due(known: Sequence[AlarmRow], now: int) -> bool:
    """Whether the last notification of one of these alarms is a day old; then all are repeated."""
    return any((alarm.told_at or now) <= now - DAY_US for alarm in known)


def _has_summary(alarm: AlarmRow) -> bool:
    """Whether it is known what the alarm has cost; alarms without texts have no summary."""
    return not alarm.said or "over" in alarm.said


def _enqueue_digest(conn: Connection, context: Context, account_id: int | None, digest: AlertDigest, now: int) -> None:
    subject, text = build_subject(digest), build_mail_text(digest, context.settings.public_url, now)
    for address in _find_recipients(conn, context, account_id):
        enqueue_mail(conn, context.settings.secret_keys, MailMessage(address, subject, text), now)
    reminded = digest.still_open if _is_reminder_due(digest.still_open, now) else ()
    mark_notified(conn, [alarm.id for alarm in (*digest.opened, *reminded)], now)
    close_alarms(conn, [alarm.id for alarm in digest.ended], now)


def _find_recipients(conn: Connection, context: Context, account_id: int | None) -> Collection[str]:
    """The addresses of the owners; the operator's if the account has no owner with an address."""
    if account_id is None:
        return sorted({*list_owner_emails(conn, None), *context.settings.operator_mail})
    if account_id == OPERATOR_ACCOUNT_ID:
        return context.settings.operator_mail or list_first_owner_emails(conn)
    return list_owner_emails(conn, account_id) or context.settings.operator_mail


def _group_by_account(alarms: Sequence[AlarmRow]) -> Iterator[tuple[int | None, list[AlarmRow]]]:
    """Account id -> its alarms. None: the alarms that concern all owners."""
    ordered = sorted(
        alarms, key=lambda row: (_get_account_id(row) is not None, _get_account_id(row) or OPERATOR_ACCOUNT_ID, row.id)
    )
    for account_id, group in groupby(ordered, key=_get_account_id):
        yield account_id, list(group)


def _get_account_id(alarm: AlarmRow) -> int | None:
    """A broken endpoint concerns all owners; the operator's other alarms concern the operator alone."""
    if alarm.kind == ENDPOINT:
        return None
    return alarm.account_id if alarm.audience == MERCHANT else OPERATOR_ACCOUNT_ID
