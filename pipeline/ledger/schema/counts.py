"""The tables of kept counts: how many hooks came in each hour and what became of them, so that no page counts rows.

They hold no personal data and outlive the events that they count. `outcome`: an outcome of events, or one of
`pipeline.ledger.counts.changes`.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class CountChange(Base):
    """A change of the counts that is not in the other tables yet. Written in the transaction that it counts."""

    __tablename__ = "count_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int]  # 0: of no store
    hour: Mapped[int]  # since the epoch, in which the hooks were received
    name: Mapped[str]  # of the event; empty: it does not change the totals
    outcome: Mapped[str]
    number: Mapped[int]  # negative: they have another outcome now


class HourlyCount(Base):
    """How many hooks, or events, of one outcome a store had in one hour of receiving."""

    __tablename__ = "hourly_counts"
    __table_args__ = (Index("ix_hourly_counts_hour", "hour"),)
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since the epoch
    outcome: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class DailyCount(Base):
    """The same by day in UTC. Kept for ever."""

    __tablename__ = "daily_counts"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since the epoch
    outcome: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class TotalCount(Base):
    """The same of all time, by the name of the event."""

    __tablename__ = "total_counts"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class CountMark(Base):
    """Up to which hour rows were deleted that are counted: from the next hour on, the counts can be checked."""

    __tablename__ = "count_marks"
    name: Mapped[str] = mapped_column(primary_key=True)  # events, dead_hooks, repeats, hours
    hour: Mapped[int]


class EventRepeat(Base):
    """In which hours an event was repeated, and how often. Outlives the event: kept for as long as events are."""

    __tablename__ = "event_repeats"
    __table_args__ = (Index("ix_event_repeats_hour", "hour"),)
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # of receiving, since the epoch
    times: Mapped[int]
