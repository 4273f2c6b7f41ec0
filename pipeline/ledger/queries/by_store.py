"""The first rows of several stores in one order: each store is read by its own index, and the results are merged.

A page of many stores does not read a page of each: what is first of all belongs to the stores whose own first is among
the first. So the first row of each store is found, and a page only of as many stores as the page has rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, true
from sqlalchemy.orm import aliased

from pipeline.ledger.schema.base import Base
from pipeline.ledger.schema.core import Event, Store


@dataclass(frozen=True, slots=True)
class Order:
    """By which columns the rows of a table follow each other, the id the last; the highest first, or the lowest."""

    table: type[Base] = Event
    columns: tuple[str, ...] = ("id",)
    lowest_first: bool = False


def find_ids_by_store(
    conn: Connection, store_ids: Collection[int], of_store: Select[Any], limit: int, order: Order
) -> list[int]:
    """The first ids of these stores. `of_store` selects the ids of the store `Store.id`, in this order and limited."""
    if len(store_ids) > limit:
        store_ids = [store_id for store_id, _ in _find(conn, store_ids, of_store.limit(1), limit, order)]
    if not store_ids:
        return []
    return [row_id for _, row_id in _find(conn, store_ids, of_store, limit, order)]


def _find(
    conn: Connection, store_ids: Collection[int], of_store: Select[Any], limit: int, order: Order
) -> Sequence[tuple[int, int]]:
    """(store id, row id) of the first rows."""
    found = of_store.correlate(Store)
    query: Select[Any] = select(Store.id)
    if conn.dialect.name == "postgresql":
        more = (getattr(order.table, name) for name in order.columns if name != "id")
        each = found.add_columns(*more).lateral("each")
        columns = [each.c[name] for name in order.columns]
        query = query.join(each, true())
    else:  # SQLite has no LATERAL, and takes no LIMIT inside a UNION
        row = aliased(order.table)
        columns = [getattr(row, name) for name in order.columns]
        query = query.join(row, columns[-1].in_(found))
    sorted_by = [column.asc() if order.lowest_first else column.desc() for column in columns]
    query = query.add_columns(columns[-1]).where(Store.id.in_(store_ids)).order_by(*sorted_by).limit(limit)
    return [(store_id, row_id) for store_id, row_id in conn.execute(query)]
