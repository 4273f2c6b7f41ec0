"""What happened to boxes and warehouses: appended, never changed. Works in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from pipeline.ledger.schema.fulfilment import FulfilmentEvent


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What was done. `detail`: codes and numbers, no personal data. `user_id`: None: a worker, or the operator."""

    kind: str
    reason: str | None = None
    detail: dict[str, Any] | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class About:
    """The box, and the states between which it went; without `order_id` the store's warehouse."""

    store_id: int
    order_id: int | None = None
    from_state: str | None = None
    to_state: str | None = None


@dataclass(frozen=True, slots=True)
class FulfilmentEventRow:
    """An event as the ledger has it."""

    id: int
    store_id: int
    order_id: int | None
    at: int
    kind: str
    from_state: str | None
    to_state: str | None
    reason: str | None
    detail: dict[str, Any] | None
    user_id: int | None


def add_fulfilment_event(conn: Connection, about: About, event: EventDraft, now: int) -> None:
    """Append an event."""
    conn.execute(insert(FulfilmentEvent).values(**asdict(about), **asdict(event), at=now))


def list_order_events(conn: Connection, order_ids: Sequence[int]) -> list[FulfilmentEventRow]:
    """Everything that happened to these boxes, the oldest first."""
    query = select(FulfilmentEvent.__table__).where(FulfilmentEvent.order_id.in_(order_ids))
    return [FulfilmentEventRow(**row._asdict()) for row in conn.execute(query.order_by(FulfilmentEvent.id))]
