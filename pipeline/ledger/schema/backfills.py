"""The table of backfills: how far each has read its store's customers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class Backfill(Base):
    """One backfill: reads all customers of a store, or only those that no hook has reported."""

    __tablename__ = "backfills"
    __table_args__ = (
        Index("uq_backfills_open", "store_id", unique=True, **partial_index("state IN ('running', 'paused')")),
        Index("ix_backfills_store_id_id", "store_id", "id"),
        Index("ix_backfills_next_step_at", "next_step_at", **partial_index("state = 'running'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    kind: Mapped[str]  # all, incremental
    state: Mapped[str] = mapped_column(default="running")  # running, paused, cancelled, done, short, failed
    phase: Mapped[str]  # counting, subscriptions, orders, customers, others
    cursor: Mapped[str | None]  # the `next` of the page read last; None: the phase's first page comes next
    steps: Mapped[int] = mapped_column(default=0)  # grows with every change, so that two workers cannot both make it
    phase_pages: Mapped[int] = mapped_column(default=0)
    barren: Mapped[int] = mapped_column(SmallInteger, default=0)  # pages in a row that brought nothing new
    pages: Mapped[int] = mapped_column(default=0)
    done: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"customers": the number read, …}
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"customers": the number the store has, …}
    changes_since: Mapped[int | None]  # incremental: orders from before this are not read
    started_at: Mapped[int]
    ended_at: Mapped[int | None]
    paused_at: Mapped[int | None]
    paused_us: Mapped[int] = mapped_column(default=0)  # in total, without the current pause
    throttled_us: Mapped[int] = mapped_column(default=0)  # waited because the store answered 429
    waited_us: Mapped[int] = mapped_column(default=0)  # waited for our own rate limit
    attempts: Mapped[int] = mapped_column(default=0)  # failures in a row
    next_step_at: Mapped[int]
    tally: Mapped[
        dict[str, Any] | None
    ]  # what this reading of the phase's collection has shown: `pipeline.cratejoy.pagination`
    error: Mapped[str | None]  # the last error, while it is retried or after it was given up
