"""Files of boxes that were handed out, and which box has which tracking number. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Connection, func, insert, select, update

from pipeline.core.fulfilment import State
from pipeline.ledger.fulfilment.orders import OrderRow, load_orders, select_orders
from pipeline.ledger.schema.fulfilment import FulfilmentExport, FulfilmentOrder, FulfilmentPackage
from pipeline.ledger.sql.tables import chunks


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A file as the ledger has it; the table says what its columns mean."""

    id: int
    store_id: int
    at: int
    boxes: int
    user_id: int | None


def insert_export(conn: Connection, store_id: int, user_id: int | None, now: int) -> int:
    """Begin a file; returns its id. Its boxes are written down as they are handed out."""
    values = {"store_id": store_id, "at": now, "boxes": 0, "user_id": user_id}
    return conn.execute(insert(FulfilmentExport).values(values).returning(FulfilmentExport.id)).scalar_one()


def add_exported(conn: Connection, export_id: int, boxes: int) -> None:
    """Count further boxes of a file."""
    counted = {"boxes": FulfilmentExport.boxes + boxes}
    conn.execute(update(FulfilmentExport).where(FulfilmentExport.id == export_id).values(counted))


def find_export(conn: Connection, store_id: int, export_id: int) -> ExportRow | None:
    """The store's file with this id."""
    mine = FulfilmentExport.store_id == store_id, FulfilmentExport.id == export_id
    row = conn.execute(select(FulfilmentExport.__table__).where(*mine)).one_or_none()
    return None if row is None else ExportRow(**row._asdict())


def find_newest_export(conn: Connection, store_id: int) -> int:
    """The id of the store's last file; 0 if there is none."""
    query = select(func.coalesce(func.max(FulfilmentExport.id), 0)).where(FulfilmentExport.store_id == store_id)
    return conn.execute(query).scalar_one()


def list_exports(conn: Connection, store_id: int, *, before: int | None = None, limit: int = 50) -> list[ExportRow]:
    """The store's files with boxes, the newest first. `before`: the id of the last one shown."""
    mine = [FulfilmentExport.store_id == store_id, FulfilmentExport.boxes > 0]
    if before is not None:
        mine.append(FulfilmentExport.id < before)
    query = select(FulfilmentExport.__table__).where(*mine).order_by(FulfilmentExport.id.desc()).limit(limit)
    return [ExportRow(**row._asdict()) for row in conn.execute(query)]


def list_ready(conn: Connection, store_id: int, now: int, by: int | None = None) -> list[tuple[int, str]]:
    """The ids and numbers of the boxes that may go out now, by number: labels come back in the order of the rows.

    `by`: leave out those that became ready later (µs).
    """
    ready = [FulfilmentOrder.store_id == store_id, FulfilmentOrder.state == State.READY]
    ready += [FulfilmentOrder.next_attempt_at <= now, *([FulfilmentOrder.state_at <= by] if by is not None else [])]
    rows = conn.execute(select(FulfilmentOrder.id, FulfilmentOrder.order_number).where(*ready))
    return sorted(((row.id, row.order_number) for row in rows), key=itemgetter(1))


def list_exported(conn: Connection, export_id: int, states: Iterable[State]) -> list[OrderRow]:
    """The boxes of a file that are in these states, by order number."""
    of_file = FulfilmentOrder.export_id == export_id, FulfilmentOrder.state.in_(sorted(states))
    return load_orders(conn, select_orders().where(*of_file).order_by(FulfilmentOrder.order_number))


def find_owners(conn: Connection, store_id: int, tracking_numbers: Iterable[str]) -> dict[str, str]:
    """Tracking number -> the order number of the store's box that has it."""
    found: dict[str, str] = {}
    columns = FulfilmentPackage.tracking_number, FulfilmentOrder.order_number
    of_box = FulfilmentOrder.id == FulfilmentPackage.order_id
    for part in chunks(sorted(set(tracking_numbers))):
        mine = FulfilmentOrder.store_id == store_id, FulfilmentPackage.tracking_number.in_(part)
        query = select(*columns).join(FulfilmentOrder, of_box).where(*mine).order_by(FulfilmentPackage.id)
        found.update((row.tracking_number, row.order_number) for row in conn.execute(query))
    return found
