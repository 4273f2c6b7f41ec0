"""The mails that wait in the ledger. A mail is written in the transaction of what it is about, and sent by a task."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, insert, select

from pipeline.ledger.outbox import Outbox
from pipeline.ledger.schema.accounts import Mail
from pipeline.ledger.sql.tables import get_table


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail to send now. `content` is encrypted."""

    id: int
    recipient: str
    content: bytes = field(repr=False)
    attempts: int


MAILS = Outbox(get_table(Mail), ClaimedMail, retention_us=86_400_000_000, cleared={"content": None})


def insert_mail(
    conn: Connection, recipient: str, content: bytes, now: int, cause: str | None = None, asker: str | None = None
) -> None:
    """Write a mail that is due at once. `content` is encrypted; `cause` and `asker` are what it is counted under."""
    values = {"recipient": recipient, "cause": cause, "asker": asker, "content": content}
    conn.execute(insert(Mail).values(**values, attempts=0, next_attempt_at=now, created_at=now))


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
