"""Notices that wait to be told to CRATEWIRE_ALARM_URL; written with what they are about, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.ledger.schema.monitoring import Notice

CLAIM_TIMEOUT_US = 120_000_000  # whoever claimed one has ended if it is still here after this
RETENTION_US = 30 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice to tell now."""

    id: int
    name: str
    content: Mapping[str, Any]
    attempts: int


def insert_notice(conn: Connection, name: str, content: Mapping[str, Any], now: int) -> None:
    """Have it told, and forget what was told long ago."""
    conn.execute(delete(Notice).where(Notice.done_at < now - RETENTION_US))
    conn.execute(insert(Notice).values(name=name, content=content, attempts=0, next_attempt_at=now, created_at=now))


def list_due_notices(conn: Connection, now: int) -> list[int]:
    """Those that may leave now, the oldest first."""
    due = Notice.done_at.is_(None), Notice.next_attempt_at <= now
    return list(conn.execute(select(Notice.id).where(*due).order_by(Notice.id)).scalars())


def claim_notice(conn: Connection, notice_id: int, now: int) -> ClaimedNotice | None:
    """Take one, so that nobody else tells it too; None if somebody has."""
    due = Notice.id == notice_id, Notice.done_at.is_(None), Notice.next_attempt_at <= now
    taken = update(Notice).where(*due).values(next_attempt_at=now + CLAIM_TIMEOUT_US, attempts=Notice.attempts + 1)
    row = conn.execute(taken.returning(Notice.id, Notice.name, Notice.content, Notice.attempts)).one_or_none()
    return None if row is None else ClaimedNotice(**row._asdict())


def mark_notice_done(conn: Connection, notice_id: int, now: int, reason: str | None = None) -> None:
    """It was taken; with a reason: it was given up."""
    conn.execute(update(Notice).where(Notice.id == notice_id).values(done_at=now, reason=reason))


def postpone_notice(conn: Connection, notice_id: int, reason: str, until: int) -> None:
    """It was not taken; another attempt follows."""
    conn.execute(update(Notice).where(Notice.id == notice_id).values(next_attempt_at=until, reason=reason))
