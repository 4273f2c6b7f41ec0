"""Deletes all rows of one store, some at a time, so that no transaction holds the write lock for long.

Which rows are a store's follows from the tables: those with a column `store_id`, those of its connections, and those
that refer to one of these. A table that is added later is included, or named in `OF_NO_STORE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, literal_column, select

from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.core import Store, StoreConnection

OF_NO_STORE = frozenset(
    {
        "accounts",
        "api_tokens",
        "audit_log",  # who removed a store is asked for afterwards
        "count_marks",
        "dictionaries",
        "failed_log_ins",
        "fences",
        "heartbeats",
        "invitations",
        "listening",
        "log_ins",
        "mails",
        "memberships",
        "notices",
        "regulation_keys",
        "retention",
        "saved_views",
        "search_progress",
        "started_releases",
        "store_removals",
        "stores",
        "users",
    }
)


@dataclass(frozen=True, slots=True)
class StoreTable:
    """A table with rows of stores. `dependents`: columns of other tables that refer to its `id`."""

    table: Table
    dependents: tuple[Column[Any], ...]

    def is_of(self, conn: Connection, store_id: int) -> ColumnElement[bool]:
        """The condition that a row is this store's, for which the table has an index."""
        columns = self.table.c
        if "connection_id" in columns and self.table.name != "regulation_destinations":  # its index is by store
            connections = select(StoreConnection.id).where(StoreConnection.store_id == store_id)
            return columns.connection_id.in_(list(conn.execute(connections).scalars()))
        if self.table.name == "dead_hooks":  # those from before the store was connected have its name only
            return columns.store == select(Store.name).where(Store.id == store_id).scalar_subquery()
        condition: ColumnElement[bool] = columns.store_id == store_id
        return condition


def list_store_tables() -> list[StoreTable]:
    """Every table with rows of stores, in an order in which they can be deleted."""
    tables = [table for table in reversed(list_all_tables()) if table.name not in OF_NO_STORE]
    own = [table for table in tables if {"store_id", "connection_id"} & set(table.c.keys())]
    others = [table for table in tables if table not in own]
    return [StoreTable(table, tuple(_find_references(others, table))) for table in own]


def delete_rows(conn: Connection, store_id: int, part: StoreTable, limit: int) -> int:
    """Delete at most `limit` of the store's rows of one table, and what refers to them; return how many there were."""
    wanted = part.is_of(conn, store_id)
    if not part.dependents:
        return conn.execute(delete(part.table).where(_is_among(conn, part.table, wanted, limit))).rowcount
    ids: Sequence[int] = conn.execute(select(part.table.c.id).where(wanted).limit(limit)).scalars().all()
    for reference in part.dependents:
        conn.execute(delete(reference.table).where(reference.in_(ids)))
    conn.execute(delete(part.table).where(part.table.c.id.in_(ids)))
    return len(ids)


def _find_references(tables: Sequence[Table], target: Table) -> list[Column[Any]]:
    return [
        reference.parent
        for table in tables
        for reference in sorted(table.foreign_keys, key=lambda found: found.parent.name)
        if reference.column.table is target
    ]


def _is_among(conn: Connection, table: Table, wanted: ColumnElement[bool], limit: int) -> ColumnElement[bool]:
    """The condition that a row is among the first of the wanted: by the database's own row id, whatever the key is."""
    row_id: ColumnElement[Any] = literal_column("rowid" if conn.dialect.name == "sqlite" else "ctid")
    return row_id.in_(select(row_id).select_from(table).where(wanted).limit(limit))
