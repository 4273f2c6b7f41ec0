"""The tables about stores' Merchant APIs."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.tables import Base


class StoreAPI(Base):
    """The Merchant API of a store whose keys we have. `config` is encrypted."""

    __tablename__ = "store_apis"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    config: Mapped[bytes]
    enabled_at: Mapped[int]  # since when the store's objects are our concern
    status: Mapped[str] = mapped_column(default="active")  # active, refused
    status_reason: Mapped[str | None]
    checked_at: Mapped[int]
