"""How long what is on its way out has been waiting, lane by lane. Reads open rows only, however much was sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from pipeline.ledger.deliveries.status import DEAD, OPEN
from pipeline.ledger.schema.core import DeadHook, Delivery, Lane, Store
from pipeline.ledger.schema.core import StoreConnection as Link


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """A connection as its account's budget and a chart's legend need it."""

    connection_id: int
    store: str
    platform: str
    account: str
    active: bool
    dead: int  # deliveries the platform will never take


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """One lane in which something waits; µs."""

    connection_id: int
    lane: int
    open: int
    oldest_at: int
    next_attempt_at: int  # 0: it may go


@dataclass(frozen=True, slots=True)
class Backlog:
    """Everything that has not arrived."""

    connections: tuple[ConnectionSummary, ...]
    lanes: tuple[LaneBacklog, ...]
    dead_hooks: int  # and not replayed


def load_backlog(conn: Connection) -> Backlog:
    """What waits now, and what cannot go on."""
    dead = select(func.count()).select_from(DeadHook).where(DeadHook.replayed_at.is_(None))
    return Backlog(_load_connections(conn), _load_lanes(conn), conn.execute(dead).scalar_one())


def _load_connections(conn: Connection) -> tuple[ConnectionSummary, ...]:
    per_wire = select(Delivery.connection_id, func.count().label("dead")).where(DEAD).group_by(Delivery.connection_id)
    dead = {row.connection_id: row.dead for row in conn.execute(per_wire)}
    columns = (Link.id, Store.name, Link.platform, Link.account, Link.status)
    rows = conn.execute(select(*columns).join(Store, Store.id == Link.store_id).order_by(Link.id))
    return tuple(
        ConnectionSummary(id_, store, platform, account, status == "active", dead.get(id_, 0))
        for id_, store, platform, account, status in rows
    )


def _load_lanes(conn: Connection) -> tuple[LaneBacklog, ...]:
    here = (Delivery.connection_id, Delivery.lane)
    waiting = select(*here, func.count().label("open"), func.min(Delivery.id).label("first")).where(OPEN)
    front = waiting.group_by(*here).subquery()
    query = (
        select(front.c.connection_id, front.c.lane, front.c.open, Delivery.created_at, Lane.next_attempt_at)
        .join(Delivery, Delivery.id == front.c.first)
        .join(Lane, and_(Lane.connection_id == front.c.connection_id, Lane.lane == front.c.lane), isouter=True)
        .order_by(front.c.connection_id, front.c.lane)
    )
    return tuple(
        LaneBacklog(connection_id, lane, count, oldest_at, next_attempt_at or 0)
        for connection_id, lane, count, oldest_at, next_attempt_at in conn.execute(query)
    )
