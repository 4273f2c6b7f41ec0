"""The table of removed stores, and of those that are being removed."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class StoreRemoval(Base):
    """The removal of a store. It stays after the store's rows are gone, so that its hook URLs are never valid again."""

    __tablename__ = "store_removals"
    __table_args__ = (Index("ix_store_removals_open", "next_at", **partial_index("ended_at IS NULL")),)
    store: Mapped[str] = mapped_column(primary_key=True)  # its name
    store_id: Mapped[int]  # no foreign key: the row outlives the store
    asked_at: Mapped[int]
    leaves_hooks: Mapped[bool]  # whether hooks of ours that cannot be removed may remain at Cratejoy
    registered: Mapped[bool]  # whether hooks were registered before, as a removal that is called off restores
    next_at: Mapped[int]  # when the next step is due
    trouble: Mapped[str | None]  # why hooks could not be removed at Cratejoy
    deleting_since: Mapped[int | None]  # from then on its hooks are refused and its rows deleted
    token_version: Mapped[int | None]  # the last version of its hook URLs; a later store of this name has higher ones
    ended_at: Mapped[int | None]  # when its last row was deleted
