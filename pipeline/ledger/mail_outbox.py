"""The mails that wait in the ledger. A mail is written in the transaction of what it is about, and sent by a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from pipeline.infra.crypto.encryption import RowIdentity
from pipeline.ledger.outbox import Outbox
from pipeline.ledger.schema.accounts import Mail


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail to send now. `content` is encrypted."""

    id: int
    recipient: str
    content: bytes = field(repr=False)
    attempts: int

    @property
    def identity(self) -> RowIdentity:
        """What `content` is encrypted for."""
        return build_mail_identity(self.id)


def build_mail_identity(mail_id: int) -> RowIdentity:
    """What the content of a mail is encrypted for."""
    return RowIdentity("mails", mail_id)


MAILS = Outbox(Mail.__table__, ClaimedMail, retention_us=86_400_000_000, cleared={"content": None})


def insert_mail(
    conn: Connection,
    recipient: str,
    encrypt_for: Callable[[RowIdentity], bytes],
    now: int,
    cause: str | None = None,
    asker: str | None = None,
) -> None:
    """Write a mail that is due at once. `encrypt_for` returns its content, encrypted for its row.

    `cause` and `asker` are what it is counted under.
    """
    values = {"recipient": recipient, "cause": cause, "asker": asker, "attempts": 0, "next_attempt_at": now}
    mail_id = conn.execute(insert(Mail).values(**values, created_at=now).returning(Mail.id)).scalar_one()
    content = encrypt_for(build_mail_identity(mail_id))
    conn.execute(update(Mail).where(Mail.id == mail_id).values(content=content))


@dataclass(frozen=True, slots=True)
class RecentMailCounts:
    """How many mails were written for one cause to one recipient, and to all recipients for one asker."""

    to_recipient: int
    to_recipient_for_asker: int
    for_asker: int


def count_mails_since(conn: Connection, recipient: str, cause: str, asker: str | None, since: int) -> RecentMailCounts:
    """The mails written since `since`. An unknown asker counts as a separate asker for each recipient."""
    to_recipient = Mail.recipient == recipient, Mail.cause == cause, Mail.created_at >= since
    same_asker = Mail.asker.is_(None) if asker is None else Mail.asker == asker
    for_asker = Mail.asker == asker, Mail.created_at >= since
    return RecentMailCounts(
        to_recipient=_count(conn, *to_recipient),
        to_recipient_for_asker=_count(conn, *to_recipient, same_asker),
        for_asker=_count(conn, *for_asker) if asker is not None else 0,
    )


def _count(conn: Connection, *conditions: ColumnElement[bool]) -> int:
    return conn.execute(select(func.count()).select_from(Mail).where(*conditions)).scalar_one()
