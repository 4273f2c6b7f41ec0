"""The mail that waits to leave. It is written with what it is about, in one transaction, and sent by a task."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from pipeline.ledger.schema.accounts import Mail

CLAIM_TIMEOUT_US = 120 * 1_000_000  # whoever claimed a mail has ended if it is still here after this
RETENTION_US = 86_400 * 1_000_000  # that a mail has left is remembered so long


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail to send now."""

    id: int
    recipient: str
    content: bytes = field(repr=False)
    attempts: int


def insert_mail(
    conn: Connection, recipient: str, content: bytes, now: int, cause: str | None = None, asker: str | None = None
) -> None:
    """Have it sent; `content` is sealed. `cause` and `asker`: what it is counted under."""
    values = {"recipient": recipient, "cause": cause, "asker": asker, "content": content}
    conn.execute(insert(Mail).values(**values, attempts=0, next_attempt_at=now, created_at=now))


@dataclass(frozen=True, slots=True)
class RecentMailCounts:
    """How many letters were written for one cause to one recipient, and to all recipients for one asker."""

    to_recipient: int
    to_recipient_for_asker: int
    for_asker: int


def count_mails_since(conn: Connection, recipient: str, cause: str, asker: str | None, since: int) -> RecentMailCounts:
    """What was written since then. An unknown asker is one of its own for each recipient."""
    to_them = Mail.recipient == recipient, Mail.cause == cause, Mail.created_at >= since
    same_asker = Mail.asker.is_(None) if asker is None else Mail.asker == asker
    by_them = Mail.asker == asker, Mail.created_at >= since
    return RecentMailCounts(
        _count(conn, *to_them), _count(conn, *to_them, same_asker), _count(conn, *by_them) if asker is not None else 0
    )


def list_due_mails(conn: Connection, now: int) -> list[int]:
    """The ids of those that may leave now, the oldest first."""
    due = Mail.done_at.is_(None), Mail.next_attempt_at <= now
    return list(conn.execute(select(Mail.id).where(*due).order_by(Mail.id).limit(100)).scalars())


def claim_mail(conn: Connection, mail_id: int, now: int) -> ClaimedMail | None:
    """Take a mail, so that nobody else sends it too; None if somebody has."""
    due = Mail.id == mail_id, Mail.done_at.is_(None), Mail.next_attempt_at <= now
    taken = update(Mail).where(*due).values(next_attempt_at=now + CLAIM_TIMEOUT_US, attempts=Mail.attempts + 1)
    row = conn.execute(taken.returning(Mail.id, Mail.recipient, Mail.content, Mail.attempts)).one_or_none()
    return None if row is None else ClaimedMail(**row._asdict())


def mark_mail_sent(conn: Connection, mail_id: int, now: int) -> None:
    """It was taken: what it says is no longer kept."""
    conn.execute(update(Mail).where(Mail.id == mail_id).values(done_at=now, content=None, reason=None))


def mark_mail_failed(conn: Connection, mail_id: int, reason: str, now: int) -> None:
    """It will never be taken."""
    conn.execute(update(Mail).where(Mail.id == mail_id).values(done_at=now, content=None, reason=reason))


def postpone_mail(conn: Connection, mail_id: int, reason: str, until: int) -> None:
    """It was not taken; another attempt follows."""
    conn.execute(update(Mail).where(Mail.id == mail_id).values(next_attempt_at=until, reason=reason))


def delete_done_mails(conn: Connection, now: int) -> None:
    """Delete what left long ago."""
    conn.execute(delete(Mail).where(Mail.done_at < now - RETENTION_US))


def _count(conn: Connection, *conditions: ColumnElement[bool]) -> int:
    return conn.execute(select(func.count()).select_from(Mail).where(*conditions)).scalar_one()
