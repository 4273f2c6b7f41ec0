"""The table of people who are sent to a platform that was connected later."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class ConnectionPeople(Base):
    """How far the people of a store have been sent over one of its connections."""

    __tablename__ = "connection_people"
    __table_args__ = (Index("ix_connection_people_running", "connection_id", **partial_index("state = 'running'")),)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"), primary_key=True, autoincrement=False)
    state: Mapped[str]  # running, stopped, done
    cursor: Mapped[int]  # the id of the last person who was looked at
    looked_at: Mapped[int]  # people
    written: Mapped[int]  # profiles
    total: Mapped[int]  # people there were at the start
    started_at: Mapped[int]
    ended_at: Mapped[int | None]
