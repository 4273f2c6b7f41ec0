"""The table of the dictionaries that rows are compressed with: a ledger can be read by itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class Dictionary(Base):
    """A zstd dictionary. Every frame in `bodies.raw` and in columns `packed` has its id in its head. Never deleted."""

    __tablename__ = "dictionaries"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes]
    used_from: Mapped[int]  # µs: earlier, processes of the version before may run, which cannot read its rows
