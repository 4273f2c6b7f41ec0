"""The values of `source` met in each store, and which of them are not known to be Marketplace or storefront."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pipeline.ledger.schema.consent import StoreSource
from pipeline.ledger.schema.core import Store
from pipeline.ledger.sql.tables import insert_into

MAX_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SourceSample:
    """How often a value was met in the last orders and subscriptions, and where.

    `examples`: {"kind": "order", "id": 7015, "at": "2026-11-30"}, at most three, without personal data.
    """

    value: str
    orders: int
    subscriptions: int
    examples: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class UnansweredSources:
    """The values of a store that are on neither list. `is_first`: nothing was answered yet."""

    store_id: int
    store: str
    values: Sequence[str]
    met_at: int  # when the first of them was met
    is_first: bool
    newest_met_at: int


def save_samples(conn: Connection, store_id: int, samples: Collection[SourceSample], now: int) -> None:
    """Save what was met; a value that is known already keeps the time at which it was first met."""
    for sample in samples:
        changed = {"orders": sample.orders, "subscriptions": sample.subscriptions, "examples": list(sample.examples)}
        statement = insert_into(conn, StoreSource).values(store_id=store_id, value=sample.value, met_at=now, **changed)
        keys = [StoreSource.store_id, StoreSource.value]
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def list_samples(conn: Connection, store_id: int) -> list[SourceSample]:
    """What was met in a store, by value."""
    columns = StoreSource.value, StoreSource.orders, StoreSource.subscriptions, StoreSource.examples
    rows = conn.execute(select(*columns).where(StoreSource.store_id == store_id).order_by(StoreSource.value))
    return [SourceSample(**row._asdict()) for row in rows]


def list_unanswered_sources(conn: Connection) -> list[UnansweredSources]:
    """The stores with values that are on neither list, by name. Stores that forward every customer need no answer."""
    lists = Store.marketplace_sources, Store.storefront_sources
    columns = (Store.id, Store.name, *lists, StoreSource.value, StoreSource.met_at)
    query = select(*columns).join(StoreSource, StoreSource.store_id == Store.id)
    needed = Store.marketplace_policy != "forward", Store.removed_at.is_(None)
    found: dict[int, list[Any]] = {}
    for row in conn.execute(query.where(*needed).order_by(Store.name, StoreSource.value)):
        if row.value not in {*(row.marketplace_sources or ()), *(row.storefront_sources or ())}:
            found.setdefault(row.id, []).append(row)
    return [
        UnansweredSources(
            store_id,
            rows[0].name,
            [row.value for row in rows],
            min(row.met_at for row in rows),
            rows[0].marketplace_sources is None,
            max(row.met_at for row in rows),
        )
        for store_id, rows in found.items()
    ]
