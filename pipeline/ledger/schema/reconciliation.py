"""The tables about comparing stores' APIs with the ledger: how far it has come, and what the APIs have shown."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.core import Base


class Reconciliation(Base):
    """How far one collection of one store's API has been compared with the ledger."""

    __tablename__ = "reconciliations"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    collection: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int]  # nothing that happened before is our concern
    mark: Mapped[int]  # all before is compared: when the last complete pass began
    floor: Mapped[int | None]  # the largest id there was before `since`; None: not known yet, or not needed
    high: Mapped[int | None]  # ids up to this one have been compared twice
    next_at: Mapped[int]  # when the next page may be asked for
    began_at: Mapped[int | None]  # the pass under way; None: there is none
    cursor: Mapped[str | None]  # where it stands
    pages: Mapped[int] = mapped_column(default=0)
    barren: Mapped[int] = mapped_column(default=0)  # pages in a row that brought nothing new
    visited: Mapped[list[Any]]  # checksums of the cursors it has been at
    reached: Mapped[int] = mapped_column(default=0)  # the largest id it has seen
    unreadable: Mapped[int] = mapped_column(default=0)  # objects of the last pass no schema could read
    renewals_told: Mapped[bool] = mapped_column(default=False)  # a hook has told of a renewal's order as a new one
    done_at: Mapped[int | None]  # the last complete pass
    tally: Mapped[dict[str, Any] | None]  # what this pass has shown: `pipeline.cratejoy.pagination`
    error: Mapped[str | None]  # why the last pass did not come to its end


class ObservedEvent(Base):
    """A happening a store's API has shown, once.

    State: before (older than the connection), waiting (its hook may still come), told, missed, late (the hook of a
    missed one came after all), dead (its hook came, and is among the dead ones).
    """

    __tablename__ = "shown_happenings"
    __table_args__ = (Index("ix_shown_happenings_counted", "store_id", "day", "event", "state"),)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    happening: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    day: Mapped[int]  # when it happened, in days since the epoch
    state: Mapped[str]
    seen_at: Mapped[int]  # when the API first showed it
