"""The tables of what users keep for themselves and their stores: views of the activity feed, and samples of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class SavedView(Base):
    """A view of the activity feed that a user has saved. Goes with the user."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]]  # the parameters of its address
    is_default: Mapped[bool]
    created_at: Mapped[int]


class Sample(Base):
    """The data of an event, with all personal details replaced: it names no one."""

    __tablename__ = "samples"
    __table_args__ = (UniqueConstraint("store_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str]
    event: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[int]
