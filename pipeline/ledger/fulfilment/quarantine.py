"""Tracking of no box that was sent: kept once per number, until a box matches or a person decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, select, update

from pipeline.core.fulfilment import Package, State
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, QuarantinedTracking
from pipeline.ledger.sql.tables import insert_into

ATTACHED, DISMISSED = "attached", "dismissed"


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """Tracking as the ledger has it."""

    id: int
    store_id: int
    order_number: str
    tracking_number: str
    carrier: str
    method: str
    url: str = field(repr=False)
    shipped_at: int | None
    is_complete: bool
    found_at: int
    seen_at: int
    outcome: str | None
    settled_at: int | None
    reason: str | None

    @property
    def package(self) -> Package:
        return Package(self.tracking_number, self.carrier, self.method, self.url, self.shipped_at)


def quarantine_packages(
    conn: Connection, store_id: int, order_number: str, packages: Iterable[Package], now: int, *, is_complete: bool
) -> int:
    """Keep the parcels apart; returns how many are new. Those that were settled stay so."""
    common = {"store_id": store_id, "order_number": order_number, "is_complete": is_complete}
    return sum(_keep(conn, common, package, now) for package in packages)


def keep_for_person(
    conn: Connection, store_id: int, order_number: str, packages: Iterable[Package], reason: str, now: int
) -> int:
    """Keep the parcels of an ambiguous row of a returned file; returns how many are new. Only a person attaches them.

    `order_number`: the box that the row names first. `reason`: a code, why the row is ambiguous.
    """
    common = {"store_id": store_id, "order_number": order_number, "is_complete": True, "reason": reason}
    return sum(_keep(conn, common, package, now) for package in packages)


def _keep(conn: Connection, common: Mapping[str, Any], package: Package, now: int) -> bool:
    """Insert the parcel, or write down that it was seen again; returns whether it is new."""
    described = {name: getattr(package, name) for name in ("tracking_number", "carrier", "method", "url", "shipped_at")}
    values = {**common, **described, "found_at": now, "seen_at": now}
    statement = insert_into(conn, QuarantinedTracking).values(values)
    new = conn.execute(statement.on_conflict_do_nothing().returning(QuarantinedTracking.id)).scalar()
    if new is None:
        key = ("store_id", "order_number", "tracking_number")
        same = update(QuarantinedTracking).filter_by(**{name: values[name] for name in key})
        conn.execute(same.values(seen_at=now, is_complete=common["is_complete"]))
    return new is not None


def list_quarantined(conn: Connection, store_id: int, *, limit: int = 1_000) -> list[QuarantineRow]:
    """What is open of a store, the oldest first."""
    return list_quarantine_page(conn, [store_id], limit=limit)


def list_quarantine_page(
    conn: Connection, store_ids: Collection[int], *, after: int | None = None, limit: int = 50
) -> list[QuarantineRow]:
    """What is open of these stores, the oldest first. `after`: the id of the last one shown."""
    open_ = QuarantinedTracking.store_id.in_(store_ids), QuarantinedTracking.outcome.is_(None)
    query = select(QuarantinedTracking.__table__).where(*open_, QuarantinedTracking.id > (after or 0))
    query = query.order_by(QuarantinedTracking.id).limit(limit)
    return [QuarantineRow(**row._asdict()) for row in conn.execute(query)]


def find_quarantined(conn: Connection, quarantine_id: int) -> QuarantineRow | None:
    """The tracking with this id, of any store."""
    row = conn.execute(select(QuarantinedTracking.__table__).filter_by(id=quarantine_id)).one_or_none()
    return None if row is None else QuarantineRow(**row._asdict())


def list_attachable(conn: Connection, store_id: int, states: Collection[State]) -> list[QuarantineRow]:
    """What is open of a store, and by now has a box of its number in one of these states; not what a person decides."""
    of_box = and_(
        FulfilmentOrder.store_id == QuarantinedTracking.store_id,
        FulfilmentOrder.order_number == QuarantinedTracking.order_number,
        FulfilmentOrder.state.in_(sorted(states)),
    )
    open_ = QuarantinedTracking.store_id == store_id, QuarantinedTracking.outcome.is_(None)
    query = select(QuarantinedTracking.__table__).join(FulfilmentOrder, of_box).where(*open_)
    by_itself = query.where(QuarantinedTracking.reason.is_(None)).order_by(QuarantinedTracking.id)
    return [QuarantineRow(**row._asdict()) for row in conn.execute(by_itself)]


def get_quarantined(conn: Connection, store_id: int, quarantine_id: int) -> QuarantineRow | None:
    """The store's tracking with this id."""
    row = find_quarantined(conn, quarantine_id)
    return row if row is not None and row.store_id == store_id else None


def settle_quarantined(conn: Connection, quarantine_id: int, outcome: str, now: int) -> bool:
    """End it; False if it has ended already."""
    open_ = QuarantinedTracking.id == quarantine_id, QuarantinedTracking.outcome.is_(None)
    ended = update(QuarantinedTracking).where(*open_).values(outcome=outcome, settled_at=now)
    return conn.execute(ended).rowcount == 1
