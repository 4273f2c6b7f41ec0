"""The tables of replays: what was selected to be sent again, and what became of each message and hook."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class Replay(Base):
    """One replay of one store's messages and dead hooks. It holds ids, names of events, times and counts only."""

    __tablename__ = "replays"
    __table_args__ = (
        Index("ix_replays_store_id_id", "store_id", "id"),
        Index("ix_replays_working", "id", **partial_index("state IN ('counting', 'running', 'stopping')")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    user_id: Mapped[int | None]  # who asked for it; None: the operator, on the command line
    selection: Mapped[dict[str, Any]]  # pipeline.ledger.replays.Selection
    delivers_again: Mapped[bool]  # whether messages that have arrived are sent again as well
    state: Mapped[str]  # counting, counted, running, stopping, stopped, done, discarded
    phase: Mapped[str]  # what is being counted: messages, hooks; counted
    cursor: Mapped[int] = mapped_column(default=0)  # the id of the last row of the phase that was counted
    counts: Mapped[dict[str, Any]]  # {"messages": how many, "people": …}: pipeline.ledger.replays.ReplayCounts
    done: Mapped[int] = mapped_column(default=0)  # sent, or became events
    failed: Mapped[int] = mapped_column(default=0)  # refused, or unreadable, again
    left_out: Mapped[int] = mapped_column(default=0)  # changed since they were counted: nothing to send any more
    taken_back: Mapped[int] = mapped_column(default=0)  # had not left when the replay was stopped
    created_at: Mapped[int]
    started_at: Mapped[int | None]
    ended_at: Mapped[int | None]


class ReplayItem(Base):
    """A message or a dead hook that a replay sends again. None of its ids is a foreign key: it outlives those rows."""

    __tablename__ = "replay_items"
    __table_args__ = (
        Index("ix_replay_items_next", "replay_id", "state", "delivery_id", "dead_hook_id"),
        Index("ix_replay_items_event_id", "replay_id", "event_id"),
        Index("ix_replay_items_store_id", "store_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    replay_id: Mapped[int] = mapped_column(ForeignKey("replays.id"))
    store_id: Mapped[int]
    delivery_id: Mapped[int | None]
    dead_hook_id: Mapped[int | None]
    event_id: Mapped[int | None]  # a message's event; of a hook the event that it became
    person_id: Mapped[int | None]
    state: Mapped[str]  # planned, open, done, failed, left_out, taken_back
    was_status: Mapped[str | None]  # of the message before it was sent again: what taking it back restores
    was_reason: Mapped[str | None]
    was_done_at: Mapped[int | None]  # when the message had been settled, or the hook had died
