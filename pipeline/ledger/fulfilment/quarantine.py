"""Tracking of no box that was sent: kept once per number, until a box matches or a person decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from pipeline.core.fulfilment import Package
from pipeline.ledger.schema.fulfilment import QuarantinedTracking
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

    @property
    def package(self) -> Package:
        return Package(self.tracking_number, self.carrier, self.method, self.url, self.shipped_at)


def quarantine_packages(
    conn: Connection, store_id: int, order_number: str, packages: Iterable[Package], now: int, *, is_complete: bool
) -> int:
    """Keep the parcels apart; returns how many are new. Those that were settled stay so."""
    added = 0
    for package in packages:
        values = {name: getattr(package, name) for name in ("tracking_number", "carrier", "method", "url")}
        values |= {"store_id": store_id, "order_number": order_number, "shipped_at": package.shipped_at}
        values |= {"is_complete": is_complete, "found_at": now, "seen_at": now}
        statement = insert_into(conn, QuarantinedTracking).values(values)
        new = conn.execute(statement.on_conflict_do_nothing().returning(QuarantinedTracking.id)).scalar()
        added += new is not None
        if new is None:
            same = QuarantinedTracking.store_id == store_id, QuarantinedTracking.order_number == order_number
            seen = update(QuarantinedTracking).where(*same).values(seen_at=now, is_complete=is_complete)
            conn.execute(seen.where(QuarantinedTracking.tracking_number == package.tracking_number))
    return added


def list_quarantined(conn: Connection, store_id: int, *, limit: int = 1_000) -> list[QuarantineRow]:
    """What is open of a store, the oldest first."""
    open_ = QuarantinedTracking.store_id == store_id, QuarantinedTracking.outcome.is_(None)
    query = select(QuarantinedTracking.__table__).where(*open_).order_by(QuarantinedTracking.id).limit(limit)
    return [QuarantineRow(**row._asdict()) for row in conn.execute(query)]


def get_quarantined(conn: Connection, store_id: int, quarantine_id: int) -> QuarantineRow | None:
    """The store's tracking with this id."""
    mine = QuarantinedTracking.store_id == store_id, QuarantinedTracking.id == quarantine_id
    row = conn.execute(select(QuarantinedTracking.__table__).where(*mine)).one_or_none()
    return None if row is None else QuarantineRow(**row._asdict())


def settle_quarantined(conn: Connection, quarantine_id: int, outcome: str, now: int) -> bool:
    """End it; False if it has ended already."""
    open_ = QuarantinedTracking.id == quarantine_id, QuarantinedTracking.outcome.is_(None)
    ended = update(QuarantinedTracking).where(*open_).values(outcome=outcome, settled_at=now)
    return conn.execute(ended).rowcount == 1
