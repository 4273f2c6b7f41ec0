"""Parcels of boxes, each stored once. Works in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from pipeline.core.fulfilment import Package
from pipeline.ledger.schema.fulfilment import FulfilmentPackage
from pipeline.ledger.sql.tables import chunks, insert_into


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A parcel as the ledger has it."""

    id: int
    order_id: int
    tracking_number: str
    carrier: str
    method: str
    url: str = field(repr=False)
    shipped_at: int | None
    source: str
    found_at: int
    acknowledged_at: int | None

    @property
    def package(self) -> Package:
        return Package(self.tracking_number, self.carrier, self.method, self.url, self.shipped_at)


def add_packages(conn: Connection, order_id: int, packages: Iterable[Package], source: str, now: int) -> list[str]:
    """Store the parcels that are not known yet; returns their tracking numbers."""
    added: list[str] = []
    for package in packages:
        values = {name: getattr(package, name) for name in ("tracking_number", "carrier", "method", "url")}
        values |= {"order_id": order_id, "shipped_at": package.shipped_at, "source": source, "found_at": now}
        statement = insert_into(conn, FulfilmentPackage).values(values).on_conflict_do_nothing()
        added += conn.execute(statement.returning(FulfilmentPackage.tracking_number)).scalars().all()
    return added


def list_packages(conn: Connection, order_ids: Sequence[int]) -> list[PackageRow]:
    """The parcels of these boxes."""
    found: list[PackageRow] = []
    for part in chunks(sorted(order_ids)):
        query = select(FulfilmentPackage.__table__).where(FulfilmentPackage.order_id.in_(part))
        found += [PackageRow(**row._asdict()) for row in conn.execute(query.order_by(FulfilmentPackage.id))]
    return found


def mark_acknowledged(conn: Connection, order_id: int, tracking_numbers: Iterable[str], now: int) -> None:
    """Write down that the warehouse knows that the store has these tracking numbers."""
    mine = FulfilmentPackage.order_id == order_id, FulfilmentPackage.tracking_number.in_(list(tracking_numbers))
    conn.execute(update(FulfilmentPackage).where(*mine).values(acknowledged_at=now))
