"""The backlog: open deliveries and their age, lane by lane. Reads open rows only: sent deliveries cost nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.queries.counts import build_dead_counts
from pipeline.ledger.schema.core import DeadHook, Delivery, Lane, Store, StoreConnection


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """A connection, as metrics need it."""

    connection_id: int
    store: str
    platform: str
    account: str
    active: bool
    dead: int  # dead deliveries


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """One lane with open deliveries; times in µs."""

    connection_id: int
    lane: int
    open: int
    oldest_at: int
    next_attempt_at: int  # 0: due


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that has not been delivered."""

    connections: tuple[ConnectionSummary, ...]
    lanes: tuple[LaneBacklog, ...]
    dead_hooks: int  # and not replayed


def load_backlog(conn: Connection) -> Backlog:
    """Load what is open now, and the counts of dead letters."""
    dead = select(func.count()).select_from(DeadHook).where(DeadHook.replayed_at.is_(None))
    return Backlog(_load_connections(conn), _load_lanes(conn), conn.execute(dead).scalar_one())


def _load_connections(conn: Connection) -> tuple[ConnectionSummary, ...]:
    dead = {row.connection_id: row.dead for row in conn.execute(build_dead_counts())}
    columns = (
        StoreConnection.id,
        Store.name,
        StoreConnection.platform,
        StoreConnection.account,
        StoreConnection.status,
    )
    rows = conn.execute(select(*columns).join(Store, Store.id == StoreConnection.store_id).order_by(StoreConnection.id))
    return tuple(
        ConnectionSummary(id_, store, platform, account, status == "active", dead.get(id_, 0))
        for id_, store, platform, account, status in rows
    )


def _load_lanes(conn: Connection) -> tuple[LaneBacklog, ...]:
    key = (Delivery.connection_id, Delivery.lane)
    open_rows = select(*key, func.count().label("open"), func.min(Delivery.id).label("first")).where(OPEN)
    lanes = open_rows.group_by(*key).subquery()
    query = (
        select(lanes.c.connection_id, lanes.c.lane, lanes.c.open, Delivery.created_at, Lane.next_attempt_at)
        .join(Delivery, Delivery.id == lanes.c.first)
        .join(Lane, and_(Lane.connection_id == lanes.c.connection_id, Lane.lane == lanes.c.lane), isouter=True)
        .order_by(lanes.c.connection_id, lanes.c.lane)
    )
    return tuple(
        LaneBacklog(connection_id, lane, count, oldest_at, next_attempt_at or 0)
        for connection_id, lane, count, oldest_at, next_attempt_at in conn.execute(query)
    )
