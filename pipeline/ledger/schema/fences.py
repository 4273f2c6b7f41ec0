"""The table of fencing tokens."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class Fence(Base):
    """The newest fencing token seen by a resource with a single writer, e.g. the inbox."""

    __tablename__ = "fences"
    name: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[int]
