"""Deliveries and the calls that carried them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from pipeline.ledger.deliveries.status import STATUS_NOW
from pipeline.ledger.schema.core import Call, Delivery, DeliveryCall, StoreConnection


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """One message to one platform, with its status. Times are µs."""

    id: int
    event_id: int | None
    person_id: int
    connection_id: int
    platform: str
    lane: int
    kind: str
    name: str | None
    message_id: str | None
    status: str
    attempts: int
    reason: str | None
    detail: str | None
    notes: list[Any]
    created_at: int
    done_at: int | None
    message: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallDetail:
    """One HTTP call, and which of the requested deliveries it carried."""

    id: int
    connection_id: int
    method: str
    endpoint: str
    status: int | None
    items: int
    error: str | None
    started_at: int
    duration_us: int
    delivery_ids: tuple[int, ...]


_COLUMNS = (
    *(
        Delivery.id,
        Delivery.event_id,
        Delivery.person_id,
        Delivery.connection_id,
        StoreConnection.platform,
        Delivery.lane,
    ),
    *(
        Delivery.kind,
        Delivery.name,
        Delivery.message_id,
        STATUS_NOW.label("status"),
        Delivery.attempts,
        Delivery.reason,
    ),
    *(Delivery.detail, Delivery.notes, Delivery.created_at, Delivery.done_at, Delivery.message),
)
_QUERY = select(*_COLUMNS).join(StoreConnection, StoreConnection.id == Delivery.connection_id)


def list_event_deliveries(conn: Connection, *, event_id: int) -> list[DeliveryDetail]:
    """An event's deliveries, in the order in which they are sent."""
    query = _QUERY.where(Delivery.event_id == event_id)
    return [DeliveryDetail(**row._asdict()) for row in conn.execute(query.order_by(Delivery.id))]


def find_delivery(conn: Connection, delivery_id: int) -> DeliveryDetail | None:
    """The delivery with this id."""
    row = conn.execute(_QUERY.where(Delivery.id == delivery_id)).one_or_none()
    return None if row is None else DeliveryDetail(**row._asdict())


def list_calls(conn: Connection, delivery_ids: Collection[int]) -> list[CallDetail]:
    """Every call that carried one of these deliveries, oldest first."""
    columns = (Call.id, Call.connection_id, Call.method, Call.endpoint, Call.status, Call.items, Call.error)
    query = (
        select(*columns, Call.started_at, Call.duration_us, DeliveryCall.delivery_id)
        .join(DeliveryCall, DeliveryCall.call_id == Call.id)
        .where(DeliveryCall.delivery_id.in_(delivery_ids))
        .order_by(Call.id, DeliveryCall.delivery_id)
    )
    calls: dict[int, dict[str, Any]] = {}
    carried: defaultdict[int, list[int]] = defaultdict(list)
    for row in conn.execute(query):
        calls[row.id] = row._asdict()
        carried[row.id].append(calls[row.id].pop("delivery_id"))
    return [CallDetail(**call, delivery_ids=tuple(carried[call_id])) for call_id, call in calls.items()]
