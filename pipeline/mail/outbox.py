"""Writes letters into the ledger with what they are about, and sends what waits there: late, if need be, but surely."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured, RequestRefused, Unreachable
from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger import mail_outbox
from pipeline.ledger.engine import reading, writing
from pipeline.mail.transport import Maildir, MailMessage, MailTransport

log = structlog.get_logger(__name__)

# Letters that a visitor can ask for, in an hour. The limit of a cause leaves room for several askers; beyond it the
# links of the letters already written are still good.
MAX_PER_HOUR_ASKER_AND_RECIPIENT = 5  # to one recipient, for one cause
MAX_PER_HOUR_RECIPIENT = 20  # to one recipient, whoever asks
MAX_PER_HOUR_ASKER = 60  # for one asker, to all recipients
MAX_ATTEMPTS = 24
_HOUR_US = 3_600_000_000
_FIRST_RETRY_DELAY_US = 15_000_000


@dataclass(frozen=True, slots=True)
class MailRequest:
    """Why a letter is written at a visitor's wish. `asker`: a network or a user; None: unknown."""

    cause: str
    asker: str | None = None


def enqueue_mail(conn: Connection, secret_keys: Sequence[str], mail: MailMessage, now: int) -> None:
    """Have a letter sent once this transaction is committed. Never refused: alarms, and what concerns security."""
    mail_outbox.insert_mail(conn, mail.recipient.lower(), _encrypt_content(secret_keys, mail), now)


def enqueue_mail_if_allowed(
    conn: Connection, secret_keys: Sequence[str], mail: MailMessage, request: MailRequest, now: int
) -> bool:
    """The same for a letter that visitors can ask for; False if this hour has had too many, and nothing was written.

    What is counted for one cause, or one asker, takes nothing from another.
    """
    recipient = mail.recipient.lower()
    asker = request.asker and _hash_asker(secret_keys, request.asker)
    counted = mail_outbox.count_mails_since(conn, recipient, request.cause, asker, now - _HOUR_US)
    if (
        counted.to_recipient_for_asker >= MAX_PER_HOUR_ASKER_AND_RECIPIENT
        or counted.to_recipient >= MAX_PER_HOUR_RECIPIENT
        or counted.for_asker >= MAX_PER_HOUR_ASKER
    ):
        log.warning("a mail was not written: too many were asked for in the last hour", cause=request.cause)
        return False
    mail_outbox.insert_mail(conn, recipient, _encrypt_content(secret_keys, mail), now, request.cause, asker)
    return True


def send_due_mails(context: Context, transport: MailTransport) -> int:
    """Send what may leave now; how many left."""
    with reading(context.engine) as db:
        waiting = mail_outbox.list_due_mails(db, context.now())
    return sum(_send(context, transport, mail_id) for mail_id in waiting)


def delete_old_mails(context: Context) -> None:
    """Forget what left long ago."""
    with writing(context.engine) as db:
        mail_outbox.delete_done_mails(db, context.now())


def _send(context: Context, transport: MailTransport, mail_id: int) -> bool:
    with writing(context.engine) as db:
        mail = mail_outbox.claim_mail(db, mail_id, context.now())
    if mail is None:
        return False
    try:
        letter = MailMessage(mail.recipient, **decrypt(context.settings.secret_keys, mail.content))
        transport.send(letter)
    except RequestRefused as error:
        return _give_up(context, mail, str(error))
    except (Unreachable, Misconfigured) as error:
        return _retry_later(context, mail, str(error))
    with writing(context.engine) as db:
        mail_outbox.mark_mail_sent(db, mail.id, context.now())
    _log_maildir_mail(transport, letter, mail.id)
    return True


def _encrypt_content(secret_keys: Sequence[str], mail: MailMessage) -> bytes:
    return encrypt(secret_keys, {"subject": mail.subject, "text": mail.text})


def _hash_asker(secret_keys: Sequence[str], asker: str) -> str:
    """Tells askers apart without keeping where anyone was."""
    return hmac.new(secret_keys[0].encode(), f"cratewire mail asker: {asker}".encode(), hashlib.sha256).hexdigest()[:16]


def _log_maildir_mail(transport: MailTransport, mail: MailMessage, mail_id: int) -> None:
    """Without a mail server the mail is read context. A link ends a line of its own, so that it can be copied."""
    if not isinstance(transport, Maildir):
        return
    log.info("a mail is in the maildir", mail=mail_id, subject=mail.subject, folder=str(transport.folder))
    for link in mail.links:
        log.info("it leads to: %s", link)


def _give_up(context: Context, mail: mail_outbox.ClaimedMail, reason: str) -> bool:
    with writing(context.engine) as db:
        mail_outbox.mark_mail_failed(db, mail.id, reason, context.now())
    log.warning("a mail was given up", mail=mail.id, reason=reason)
    return False


def _retry_later(context: Context, mail: mail_outbox.ClaimedMail, reason: str) -> bool:
    if mail.attempts >= MAX_ATTEMPTS:
        return _give_up(context, mail, reason)
    wait = min(_HOUR_US, _FIRST_RETRY_DELAY_US * 2 ** min(mail.attempts - 1, 10))
    with writing(context.engine) as db:
        mail_outbox.postpone_mail(db, mail.id, reason, context.now() + wait)
    log.warning("a mail has to wait", mail=mail.id, reason=reason)
    return False
