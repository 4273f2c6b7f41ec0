"""The tables of decisions about consent, and of the `source` values that decisions are about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class ConsentDecision(Base):
    """A decision about whose data may leave: a setting of the store, or one person who is released."""

    __tablename__ = "consent_decisions"
    __table_args__ = (
        Index("ix_consent_decisions_store_id_id", "store_id", "id"),
        Index("ix_consent_decisions_person_id", "person_id", **partial_index("person_id IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # None: it concerns the whole store
    kind: Mapped[str]  # marketplace_policy, sources, gift_recipients, release
    decided_by: Mapped[str]  # a user's id, or "command line"
    decided_at: Mapped[int]
    detail: Mapped[dict[str, Any]]  # what was chosen, and what was valid before; no personal data


class StoreSource(Base):
    """A value of `source` that orders or subscriptions of a store have had. Holds no personal data."""

    __tablename__ = "store_sources"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(default=0, server_default="0")  # of the last hundred read while connecting
    subscriptions: Mapped[int] = mapped_column(default=0, server_default="0")
    examples: Mapped[list[Any]]  # {"kind": "order", "id": …, "at": "2026-11-30"}
    met_at: Mapped[int]
