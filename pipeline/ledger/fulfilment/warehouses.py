"""Warehouses of stores. `config` is encrypted and decrypted by the callers. Works in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from pipeline.infra.crypto.encryption import RowIdentity
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.fulfilment import Warehouse
from pipeline.ledger.sql.tables import insert_into

DRY_RUN, LIVE = "dry_run", "live"
ACTIVE, PAUSED = "active", "paused"
UNUSUAL = "an unusual number of boxes"  # how the reason of a pause by the volume guard begins
# `trouble` of a warehouse that is not called before a person has acted, however it came to be paused.
KEYS_REFUSED, KEYS_UNUSABLE = "keys_refused", "keys_unusable"


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """A store's warehouse as the ledger has it; the table says what its columns mean."""

    id: int
    store_id: int
    adapter: str
    config: bytes = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    mode: Literal["dry_run", "live"]
    status: Literal["active", "paused"]
    status_reason: str | None
    status_at: int
    accepted_at: int | None
    accepted_by: int | None
    wait_until: int
    failures: int
    trouble: str | None
    volume_passed_at: int | None
    created_at: int

    @property
    def identity(self) -> RowIdentity:
        """What `config` is encrypted for."""
        return build_warehouse_identity(self.store_id)

    @property
    def is_active(self) -> bool:
        return self.status == ACTIVE

    @property
    def is_live(self) -> bool:
        """Whether boxes are given to the warehouse."""
        return self.mode == LIVE and self.is_active

    @property
    def is_called(self) -> bool:
        """Whether the warehouse is asked to cancel, and for its tracking: what it has leaves also during a pause."""
        return self.mode == LIVE and not self.is_shut

    @property
    def is_shut(self) -> bool:
        """Whether a call would be refused, or cannot be made: nothing but a person ends that."""
        return self.trouble in (KEYS_REFUSED, KEYS_UNUSABLE)


def build_warehouse_identity(store_id: int) -> RowIdentity:
    """What the keys of a store's warehouse are encrypted for."""
    return RowIdentity("warehouses", store_id, store_id)


def save_warehouse(
    conn: Connection, store_id: int, adapter: str, config: bytes, now: int, *, is_other: bool = False
) -> WarehouseRow:
    """Save a warehouse whose credentials have just been checked; it becomes active.

    Another adapter, or another account (`is_other`), starts in dry run again: which boxes are at the warehouse before
    it is not known to it.
    """
    before = find_warehouse(conn, store_id)
    values: dict[str, Any] = {"adapter": adapter, "config": config, "status": ACTIVE, "status_reason": None}
    values |= {"status_at": now, "wait_until": 0, "failures": 0, "trouble": None}
    if before is None or before.adapter != adapter or is_other:
        values |= {"mode": DRY_RUN, "accepted_at": None, "accepted_by": None}
    if before is None:
        statement = insert_into(conn, Warehouse).values(store_id=store_id, settings={}, created_at=now, **values)
        conn.execute(statement)
    else:
        conn.execute(update(Warehouse).where(Warehouse.store_id == store_id).values(values))
    return get_warehouse(conn, store_id)


def update_warehouse(conn: Connection, store_id: int, **changed: Any) -> bool:
    """Change columns of a store's warehouse; False if it has none."""
    return conn.execute(update(Warehouse).where(Warehouse.store_id == store_id).values(changed)).rowcount == 1


def pause_warehouse(conn: Connection, store_id: int, reason: str, now: int) -> bool:
    """Give it no box until it is resumed; `reason` is shown to people. False if it is paused already."""
    active = Warehouse.store_id == store_id, Warehouse.status == ACTIVE
    paused = {"status": PAUSED, "status_reason": reason, "status_at": now}
    return conn.execute(update(Warehouse).where(*active).values(paused)).rowcount == 1


def resume_warehouse(conn: Connection, store_id: int, now: int) -> bool:
    """Go on, and call the warehouse at once; an unusual number of boxes then passes. False if it is not paused."""
    unusual = Warehouse.store_id == store_id, Warehouse.status_reason.startswith(UNUSUAL)
    conn.execute(update(Warehouse).where(*unusual).values(volume_passed_at=now))
    paused = Warehouse.store_id == store_id, Warehouse.status == PAUSED
    active = {"status": ACTIVE, "status_reason": None, "status_at": now, "wait_until": 0, "failures": 0}
    return conn.execute(update(Warehouse).where(*paused).values(active | {"trouble": None})).rowcount == 1


def find_warehouse(conn: Connection, store_id: int) -> WarehouseRow | None:
    """The warehouse of this store."""
    row = conn.execute(select(Warehouse.__table__).where(Warehouse.store_id == store_id)).one_or_none()
    return None if row is None else WarehouseRow(**row._asdict())


def get_warehouse(conn: Connection, store_id: int) -> WarehouseRow:
    """The warehouse of this store. Raises NoResultFound if it has none."""
    query = select(Warehouse.__table__).where(Warehouse.store_id == store_id)
    return WarehouseRow(**conn.execute(query).one()._asdict())


def list_warehouse_names(conn: Connection) -> dict[str, int]:
    """Store name -> id, of the stores with a warehouse that are not being removed."""
    query = select(Store.name, Store.id).join(Warehouse, Warehouse.store_id == Store.id)
    return {row.name: row.id for row in conn.execute(query.where(Store.removed_at.is_(None)))}


def list_warehouses(conn: Connection) -> list[WarehouseRow]:
    """The warehouses of all stores that are not being removed."""
    query = select(Warehouse.__table__).join(Store, Store.id == Warehouse.store_id)
    rows = conn.execute(query.where(Store.removed_at.is_(None)).order_by(Warehouse.store_id))
    return [WarehouseRow(**row._asdict()) for row in rows]
