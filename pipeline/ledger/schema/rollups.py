"""The table of what is known of people's many facts without reading them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class FactRollup(Base):
    """Which facts of a person with many are loaded with every hook, and the counts and sums of the others.

    Triggers on `facts` delete it with every change of the person's facts, whichever program makes it: one that does not
    know this table leaves no stale row. Recording writes it anew after the facts, in the same transaction.
    """

    __tablename__ = "fact_rollups"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    version: Mapped[int]  # of what is counted and ranked; a row of another version is not read
    data: Mapped[dict[str, Any]]
