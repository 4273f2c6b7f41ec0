"""The Merchant APIs of stores. `config` comes and goes encrypted: the ledger cannot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from pipeline.ledger.api_tables import StoreAPI
from pipeline.ledger.upsert import insert_into

ACTIVE, REFUSED = "active", "refused"


@dataclass(frozen=True, slots=True)
class StoreAPIRow:
    """A store's API as the ledger has it."""

    store_id: int
    config: bytes = field(repr=False)
    enabled_at: int  # µs; what the store did before is none of our business
    status: str
    status_reason: str | None
    checked_at: int


def save_api(db: Connection, store_id: int, config: bytes, now: int) -> None:
    """Save keys that were just tried. New keys for a store leave its `enabled_at` as it is."""
    made = insert_into(db, StoreAPI).values(
        store_id=store_id, config=config, enabled_at=now, status=ACTIVE, checked_at=now
    )
    changed = {"config": config, "status": ACTIVE, "status_reason": None, "checked_at": now}
    db.execute(made.on_conflict_do_update(index_elements=[StoreAPI.store_id], set_=changed))


def find_api(db: Connection, store_id: int) -> StoreAPIRow | None:
    """The store's API; None if we have no keys for it."""
    row = db.execute(select(StoreAPI.__table__).where(StoreAPI.store_id == store_id)).one_or_none()
    return None if row is None else StoreAPIRow(**row._asdict())


def stores_with_api(db: Connection) -> list[int]:
    """The ids of the stores we have keys for."""
    return list(db.execute(select(StoreAPI.store_id).order_by(StoreAPI.store_id)).scalars())


def note_api(db: Connection, store_id: int, refusal: str | None, now: int) -> None:
    """The keys were tried: they work (None), or were refused, and how."""
    found = {"status": REFUSED if refusal else ACTIVE, "status_reason": refusal, "checked_at": now}
    db.execute(update(StoreAPI).where(StoreAPI.store_id == store_id).values(found))


def forget_api(db: Connection, store_id: int) -> None:
    """The store's keys are deleted."""
    db.execute(delete(StoreAPI).where(StoreAPI.store_id == store_id))
