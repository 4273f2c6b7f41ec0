"""Batches of boxes: what the ledger knows of each, and those that were frozen. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.core.fulfilment import State
from pipeline.ledger.schema.fulfilment import FulfilmentBatch, FulfilmentOrder
from pipeline.ledger.sql.tables import insert_into


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch of Cratejoy, as its boxes show it. Times are µs; None: no box has shown it."""

    batch_id: int
    starts_at: int | None
    ends_at: int | None
    boxes: int


@dataclass(frozen=True, slots=True)
class BatchBox:
    """A box of a batch, without names and addresses."""

    id: int
    order_number: str
    shipment_id: int
    resend_no: int
    state: State
    state_at: int
    batch_id: int
    subscription_id: int | None
    first_seen_at: int
    cratejoy_checked_at: int | None
    is_gift: bool
    country: str | None
    lines: list[dict[str, Any]]
    fingerprint: str | None
    notice: str | None


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A frozen batch, or wave, as the ledger has it; the table says what its columns mean."""

    id: int
    store_id: int
    batch_id: int
    wave: str
    frozen_at: int
    boxes: int
    digest: str
    manifest: dict[str, Any] = field(repr=False)
    user_id: int | None


_COLUMNS = tuple(getattr(FulfilmentOrder, name) for name in BatchBox.__slots__)


def list_batches(conn: Connection, store_id: int) -> list[BatchLine]:
    """The store's batches, the one that ends last first."""
    batch, boxes = FulfilmentOrder.batch_id, func.count()
    times = func.min(FulfilmentOrder.batch_starts_at), func.max(FulfilmentOrder.batch_ends_at)
    query = select(batch, *times, boxes).where(FulfilmentOrder.store_id == store_id, batch.is_not(None))
    rows = conn.execute(query.group_by(batch))
    found = [BatchLine(number or 0, starts, ends, count) for number, starts, ends, count in rows]
    return sorted(found, key=lambda one: (one.ends_at or 0, one.batch_id), reverse=True)


def list_batch_boxes(conn: Connection, store_id: int, batch_ids: Collection[int]) -> list[BatchBox]:
    """The boxes of these batches, by order number. A box that was sent again counts once, as it was sent last."""
    mine = FulfilmentOrder.store_id == store_id, FulfilmentOrder.batch_id.in_(sorted(batch_ids))
    newest: dict[int, BatchBox] = {}
    for row in conn.execute(select(*_COLUMNS).where(*mine).order_by(FulfilmentOrder.resend_no)):
        newest[row.shipment_id] = BatchBox(**{**row._asdict(), "state": State(row.state)})
    return sorted(newest.values(), key=lambda box: box.order_number)


def insert_frozen(conn: Connection, **columns: Any) -> bool:
    """Keep a frozen batch, or wave; False if it was frozen before."""
    statement = insert_into(conn, FulfilmentBatch).values(columns).on_conflict_do_nothing()
    return conn.execute(statement.returning(FulfilmentBatch.id)).scalar() is not None


def list_frozen(conn: Connection, store_id: int, batch_id: int | None = None) -> list[FrozenRow]:
    """What is frozen of a store, or of one of its batches, in the order of the freezes."""
    query = select(FulfilmentBatch.__table__).where(FulfilmentBatch.store_id == store_id)
    if batch_id is not None:
        query = query.where(FulfilmentBatch.batch_id == batch_id)
    return [FrozenRow(**row._asdict()) for row in conn.execute(query.order_by(FulfilmentBatch.id))]


def list_frozen_waves(conn: Connection, store_id: int) -> list[tuple[int, str]]:
    """(batch, wave) of what is frozen, the last first, without the manifests."""
    query = select(FulfilmentBatch.batch_id, FulfilmentBatch.wave).where(FulfilmentBatch.store_id == store_id)
    return [(row.batch_id, row.wave) for row in conn.execute(query.order_by(FulfilmentBatch.id.desc()))]


def count_frozen(conn: Connection, store_id: int) -> dict[int, int]:
    """Batch -> how many boxes it had when it was frozen."""
    total = func.sum(FulfilmentBatch.boxes)
    query = select(FulfilmentBatch.batch_id, total).where(FulfilmentBatch.store_id == store_id)
    return {batch_id: int(boxes) for batch_id, boxes in conn.execute(query.group_by(FulfilmentBatch.batch_id))}
