"""The tables of reconciliation: its progress in each collection of a store's API, and the events the API has shown."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class Reconciliation(Base):
    """How far one collection of one store's API has been compared with the ledger."""

    __tablename__ = "reconciliations"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    collection: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int]  # events from before are ignored
    mark: Mapped[int]  # everything before it is compared: when the last complete pass began
    floor: Mapped[int | None]  # the largest id from before `since`; None: not known yet, or not needed
    high: Mapped[int | None]  # ids up to this one have been compared twice
    next_at: Mapped[int]  # when the next page may be requested
    began_at: Mapped[int | None]  # when the current pass began; None: no pass is running
    cursor: Mapped[str | None]  # the next page of the current pass
    pages: Mapped[int] = mapped_column(default=0)
    barren: Mapped[int] = mapped_column(default=0)  # pages in a row that brought nothing new
    visited: Mapped[list[Any]]  # checksums of the cursors it has read
    reached: Mapped[int] = mapped_column(default=0)  # the largest id it has seen
    unreadable: Mapped[int] = mapped_column(default=0)  # objects of the last pass no schema could read
    renewals_told: Mapped[bool] = mapped_column(default=False)  # a hook has reported a renewal's order as a new order
    done_at: Mapped[int | None]  # the last complete pass
    tally: Mapped[dict[str, Any] | None]  # what this pass has shown: `pipeline.cratejoy.pagination`
    error: Mapped[str | None]  # why the last pass did not finish


class ObservedEvent(Base):
    """An event that a store's API has shown, stored once.

    State: before (older than the connection), waiting (its hook may still come), "told" (its hook came), missed, late
    (its hook came after it had counted as missed), dead (its hook came, and is a dead hook).
    """

    __tablename__ = "shown_happenings"
    __table_args__ = (Index("ix_shown_happenings_counted", "store_id", "day", "event", "state"),)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    happening: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    day: Mapped[int]  # when it occurred, in days since the epoch
    state: Mapped[str]
    seen_at: Mapped[int]  # when the API first showed it
