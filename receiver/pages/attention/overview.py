"""What proves that nothing needs a person: when it was last checked, and what works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.attention.sweep import FALLBACK_NAME, SWEEP_NAME
from pipeline.context import Context
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.connections import list_all_connections
from pipeline.ledger.schema.core import Event
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.monitoring.status import get_endpoint_status


@dataclass(frozen=True, slots=True)
class Proofs:
    """When the list was last checked, the last event, and the last test hook came back (µs); which platforms work."""

    checked_at: int | None
    event_at: int | None
    test_at: int | None
    platforms: tuple[str, ...]


def load_proofs(conn: Connection, context: Context, stores: Mapping[int, VisibleStore]) -> Proofs:
    """What is known of these stores."""
    swept = select(func.max(Heartbeat.arrived_at)).where(Heartbeat.name.in_((SWEEP_NAME, FALLBACK_NAME)))
    last = [
        at
        for store_id in list(stores)[:_MAX_STORES]
        if (at := conn.execute(_LAST_EVENT.where(Event.store_id == store_id)).scalar()) is not None
    ]
    active = {row.platform for row in list_all_connections(conn) if row.store_id in stores and row.status == "active"}
    return Proofs(
        conn.execute(swept).scalar(),
        max(last, default=None),
        get_endpoint_status(conn, context.now()).proven_at if context.settings.canary_seconds else None,
        tuple(sorted(DESTINATIONS[name].title for name in active if name in DESTINATIONS)),
    )


_MAX_STORES = 50  # whose last events are looked up; more make the page slower, and say no more
_LAST_EVENT = select(Event.received_at).order_by(Event.id.desc()).limit(1)
