"""The tables of retention: how far it has deleted, and what is remembered of events that it has deleted."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class RetentionProgress(Base):
    """How far one kind of data has been deleted: `pipeline.ledger.retention.kinds`."""

    __tablename__ = "retention"
    kind: Mapped[str] = mapped_column(
        primary_key=True
    )  # bodies, messages, calls, dead_hooks, events, attribute_changes, people
    cursor: Mapped[int] = mapped_column(default=0)  # rows up to this id have been looked at in this pass
    left_behind: Mapped[int | None]  # the smallest id of this pass that has to stay for now; the next begins there
    slice_size: Mapped[int]  # rows of the next slice
    began_at: Mapped[int | None]  # when the current pass began; None: no pass is running
    swept_at: Mapped[int | None]  # when the last pass ended
    deleted: Mapped[int] = mapped_column(default=0)  # rows, in total


class PastEvent(Base):
    """The identity of an event that was deleted: a repeat of it is still recognised, and its id is still known.

    Holds no personal data. Never deleted, except with its store.
    """

    __tablename__ = "past_events"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happening: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[int]
    received_at: Mapped[int]


class PastCount(Base):
    """How many events, or dead hooks, of a store were deleted, so that no count falls. `store_id` 0: of no store."""

    __tablename__ = "past_counts"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)  # of events; dead, replayed: of dead hooks
    number: Mapped[int]
    duplicates: Mapped[int]  # of deletions before the counts were kept; they count all repeats by now
