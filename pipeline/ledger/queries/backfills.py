"""The newest backfill of every store, whatever became of it."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from pipeline.ledger.backfills import BackfillRow
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Store


def load_newest_backfills(conn: Connection) -> dict[str, BackfillRow]:
    """Store -> its newest backfill; stores that never had one are not there."""
    newest = select(func.max(Backfill.id)).group_by(Backfill.store_id)
    query = select(Store.name.label("store"), *Backfill.__table__.columns).join(Store, Store.id == Backfill.store_id)
    found = [row._asdict() for row in conn.execute(query.where(Backfill.id.in_(newest)).order_by(Store.name))]
    return {row.pop("store"): BackfillRow(**row) for row in found}
