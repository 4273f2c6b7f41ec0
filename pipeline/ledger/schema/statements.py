"""The table of monthly statements: what a store's events were when a month was closed, as one hash."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class Statement(Base):
    """The statement of one store about one month, written once, when the month has ended. It holds no personal data."""

    __tablename__ = "statements"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)  # 2026-11, in UTC
    last_event_id: Mapped[int]  # events up to this id, after those of the month before, are its events
    events: Mapped[int]
    previous: Mapped[str]  # the hash of the month before, with which this one begins
    hash: Mapped[str]
    counts: Mapped[dict[str, Any]]  # where all that was received was, when the month was closed
    closed_at: Mapped[int]
