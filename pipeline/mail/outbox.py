"""Writes mails into the ledger, in the transaction of what they are about, and sends those that are due."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured, RequestRefused, Unreachable
from pipeline.infra.crypto.encryption import RowIdentity, decrypt, encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.mail_outbox import MAILS, ClaimedMail, count_mails_since, insert_mail
from pipeline.ledger.outbox import SendFailure, send_due
from pipeline.mail.transport import MAILDIR_NAME, Maildir, MailMessage, MailTransport, delete_old_letters

log = structlog.get_logger(__name__)

# Mails that a visitor can ask for, in an hour. The limit of a cause leaves room for several askers; beyond it the
# links in the mails already sent are still valid.
MAX_PER_HOUR_ASKER_AND_RECIPIENT = 5  # to one recipient, for one cause
MAX_PER_HOUR_RECIPIENT = 20  # to one recipient, for all askers together
MAX_PER_HOUR_ASKER = 60  # for one asker, to all recipients
_HOUR_US = 3_600_000_000
LETTER_RETENTION_US = 30 * 24 * _HOUR_US


@dataclass(frozen=True, slots=True)
class MailRequest:
    """Why a visitor gets a mail. `asker`: a network or a user; None: unknown."""

    cause: str
    asker: str | None = None


def enqueue_mail(conn: Connection, secret_keys: Sequence[str], mail: MailMessage, now: int) -> None:
    """Write a mail that is sent once this transaction is committed. Without a limit: for alarms and security."""
    insert_mail(conn, mail.recipient.lower(), partial(_encrypt_content, secret_keys, mail), now)


def enqueue_mail_if_allowed(
    conn: Connection, secret_keys: Sequence[str], mail: MailMessage, request: MailRequest, now: int
) -> bool:
    """Write a mail that a visitor asked for; return False, and write nothing, if the hour's limit is reached.

    The limits of one cause, and of one asker, are independent of those of others.
    """
    recipient = mail.recipient.lower()
    asker = request.asker and _hash_asker(secret_keys, request.asker)
    recent = count_mails_since(conn, recipient, request.cause, asker, now - _HOUR_US)
    if (
        recent.to_recipient_for_asker >= MAX_PER_HOUR_ASKER_AND_RECIPIENT
        or recent.to_recipient >= MAX_PER_HOUR_RECIPIENT
        or recent.for_asker >= MAX_PER_HOUR_ASKER
    ):
        log.warning("mail not written: hourly limit reached", cause=request.cause)
        return False
    insert_mail(conn, recipient, partial(_encrypt_content, secret_keys, mail), now, request.cause, asker)
    return True


def has_due_mails(conn: Connection, now: int) -> bool:
    """Whether a mail is to be sent now."""
    return bool(MAILS.list_due(conn, now))


def send_due_mails(context: Context, transport: MailTransport) -> int:
    """Send the mails that are due; returns how many were sent."""

    def send(mail: ClaimedMail) -> SendFailure | None:
        return _send(transport, context.settings.secret_keys, mail)

    return send_due(context.engine, MAILS, context.now, send)


def delete_old_mails(context: Context) -> None:
    """Delete the mails that were sent or given up more than a day ago, and letters in the maildir after 30 days."""
    with writing(context.engine) as conn:
        MAILS.delete_old(conn, context.now())
    deleted = delete_old_letters(context.settings.data_dir / MAILDIR_NAME, context.now() - LETTER_RETENTION_US)
    if deleted:
        log.info("old letters deleted", letters=deleted)


def _send(transport: MailTransport, secret_keys: Sequence[str], claimed: ClaimedMail) -> SendFailure | None:
    try:
        mail = MailMessage(claimed.recipient, **decrypt(secret_keys, claimed.content, claimed.identity))
        transport.send(mail)
    except RequestRefused as error:
        return SendFailure(str(error), is_final=True)
    except (Unreachable, Misconfigured) as error:
        return SendFailure(str(error))
    _log_maildir_mail(transport, mail, claimed.id)
    return None


def _encrypt_content(secret_keys: Sequence[str], mail: MailMessage, row: RowIdentity) -> bytes:
    return encrypt(secret_keys, {"subject": mail.subject, "text": mail.text}, row)


def _hash_asker(secret_keys: Sequence[str], asker: str) -> str:
    """A keyed hash that distinguishes askers without storing their addresses."""
    return hmac.new(secret_keys[0].encode(), f"cratewire mail asker: {asker}".encode(), hashlib.sha256).hexdigest()[:16]


def _log_maildir_mail(transport: MailTransport, mail: MailMessage, mail_id: int) -> None:
    """Without a mail server the log shows the links. Each ends a line of its own, so that it can be copied."""
    if not isinstance(transport, Maildir):
        return
    log.info("a mail is in the maildir", mail=mail_id, subject=mail.subject, folder=str(transport.folder))
    for link in mail.links:
        log.info("it leads to: %s", link)
