"""The tables of rehearsals that were asked for on a page or saved, and of the versions that were let start."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class SavedRehearsal(Base):
    """A rehearsal and what it found: counts, fields and ids, and no value of any message."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        Index("ix_rehearsals_store_id_id", "store_id", "id"),
        Index("ix_rehearsals_open", "id", **partial_index("state IN ('waiting', 'running')")),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    change: Mapped[str]  # JSON: pipeline.rehearsal.change
    days: Mapped[int]
    state: Mapped[str]  # waiting, running, done, failed
    asked_by: Mapped[int | None]  # a user; None: the command line
    asked_at: Mapped[int]
    seen_at: Mapped[int]  # when it last made progress
    ended_at: Mapped[int | None]
    hooks_done: Mapped[int] = mapped_column(default=0)
    hooks_total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    report: Mapped[dict[str, Any] | None]
    differences: Mapped[int | None]
    release: Mapped[str | None]  # of the other version; None: the change was rehearsed in one version
    accepted_at: Mapped[int | None]


class StartedRelease(Base):
    """A version whose code has migrated this database."""

    __tablename__ = "started_releases"
    release: Mapped[str] = mapped_column(primary_key=True)  # a hash of the source: pipeline.processing.release
    version: Mapped[str]
    started_at: Mapped[int]
