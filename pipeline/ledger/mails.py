"""The mail that waits to leave. It is written with what it is about, in one transaction, and sent by a task."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from pipeline.ledger.account_tables import Mail

CLAIM_US = 120 * 1_000_000  # whoever claimed a mail has ended if it is still here after this
KEPT_US = 86_400 * 1_000_000  # that a mail has left is remembered so long


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail to send now."""

    id: int
    recipient: str
    content: bytes = field(repr=False)
    attempts: int


def write_mail(
    db: Connection, recipient: str, content: bytes, now: int, cause: str | None = None, asker: str | None = None
) -> None:
    """Have it sent; `content` is sealed. `cause` and `asker`: what it is counted under."""
    values = {"recipient": recipient, "cause": cause, "asker": asker, "content": content}
    db.execute(insert(Mail).values(**values, attempts=0, next_attempt_at=now, created_at=now))


@dataclass(frozen=True, slots=True)
class Counted:
    """How many letters were written for one cause to one recipient, and to all recipients for one asker."""

    to_recipient: int
    to_recipient_for_asker: int
    for_asker: int


def mails_since(db: Connection, recipient: str, cause: str, asker: str | None, since: int) -> Counted:
    """What was written since then. An unknown asker is one of its own for each recipient."""
    to_them = Mail.recipient == recipient, Mail.cause == cause, Mail.created_at >= since
    same_asker = Mail.asker.is_(None) if asker is None else Mail.asker == asker
    by_them = Mail.asker == asker, Mail.created_at >= since
    return Counted(
        _count(db, *to_them), _count(db, *to_them, same_asker), _count(db, *by_them) if asker is not None else 0
    )


def waiting_mails(db: Connection, now: int) -> list[int]:
    """The ids of those that may leave now, the oldest first."""
    due = Mail.done_at.is_(None), Mail.next_attempt_at <= now
    return list(db.execute(select(Mail.id).where(*due).order_by(Mail.id).limit(100)).scalars())


def claim_mail(db: Connection, mail_id: int, now: int) -> Claimed | None:
    """Take a mail, so that nobody else sends it too; None if somebody has."""
    due = Mail.id == mail_id, Mail.done_at.is_(None), Mail.next_attempt_at <= now
    taken = update(Mail).where(*due).values(next_attempt_at=now + CLAIM_US, attempts=Mail.attempts + 1)
    row = db.execute(taken.returning(Mail.id, Mail.recipient, Mail.content, Mail.attempts)).one_or_none()
    return None if row is None else Claimed(**row._asdict())


def mail_left(db: Connection, mail_id: int, now: int) -> None:
    """It was taken: what it says is no longer kept."""
    db.execute(update(Mail).where(Mail.id == mail_id).values(done_at=now, content=None, reason=None))


def mail_given_up(db: Connection, mail_id: int, reason: str, now: int) -> None:
    """It will never be taken."""
    db.execute(update(Mail).where(Mail.id == mail_id).values(done_at=now, content=None, reason=reason))


def mail_waits(db: Connection, mail_id: int, reason: str, until: int) -> None:
    """It was not taken; another attempt follows."""
    db.execute(update(Mail).where(Mail.id == mail_id).values(next_attempt_at=until, reason=reason))


def forget_mails(db: Connection, now: int) -> None:
    """Delete what left long ago."""
    db.execute(delete(Mail).where(Mail.done_at < now - KEPT_US))


def _count(db: Connection, *conditions: ColumnElement[bool]) -> int:
    return db.execute(select(func.count()).select_from(Mail).where(*conditions)).scalar_one()
