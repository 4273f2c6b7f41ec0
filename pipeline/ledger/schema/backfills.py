"""The table of backfills: how far the reading of a store's customers has come."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import partial_index
from pipeline.ledger.schema.core import Base


class Backfill(Base):
    """One reading of a store's customers, all of them or those nobody told us about."""

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
    steps: Mapped[int] = mapped_column(default=0)  # grows with everything written: what two workers cannot both do
    phase_pages: Mapped[int] = mapped_column(default=0)
    barren: Mapped[int] = mapped_column(SmallInteger, default=0)  # pages in a row that brought nothing new
    pages: Mapped[int] = mapped_column(default=0)
    done: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"customers": how many were read, …}
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"customers": how many the store has, …}
    changes_since: Mapped[int | None]  # incremental: orders from before this are not read
    started_at: Mapped[int]
    ended_at: Mapped[int | None]
    paused_at: Mapped[int | None]
    paused_us: Mapped[int] = mapped_column(default=0)  # in all, without the pause it is in
    throttled_us: Mapped[int] = mapped_column(default=0)  # waited because the store answered 429
    waited_us: Mapped[int] = mapped_column(default=0)  # waited for our own budget of requests
    attempts: Mapped[int] = mapped_column(default=0)  # failures in a row
    next_step_at: Mapped[int]
    tally: Mapped[
        dict[str, Any] | None
    ]  # what this reading of the phase's collection has shown: `pipeline.cratejoy.pagination`
    error: Mapped[str | None]  # what went wrong last, while it is tried again or after it was given up
