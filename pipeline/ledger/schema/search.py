"""The tables of the search: names, addresses and tracking numbers, folded so that an index finds their beginnings.

Everything else that is searched for (orders, customer ids, receipts …) has an index where it is stored.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base

# Compared byte by byte on either database: only then does an index find all that begins with something.
_Folded = Text().with_variant(Text(collation="C"), "postgresql")


class PersonTerm(Base):
    """A word of a name of a person, or an address of theirs. Holds former ones too; goes with the person."""

    __tablename__ = "person_terms"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)  # name, email
    value: Mapped[str] = mapped_column(_Folded, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class TrackingNumber(Base):
    """A tracking number in the data of an event. Goes with the event."""

    __tablename__ = "tracking_numbers"
    store_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(_Folded, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True, index=True)


class SearchProgress(Base):
    """How far rows from before these tables were read. A ledger that never was without them has read all at once."""

    __tablename__ = "search_progress"
    kind: Mapped[str] = mapped_column(primary_key=True)  # people, events
    cursor: Mapped[int] = mapped_column(default=0)  # rows up to this id are read
    done_at: Mapped[int | None]
