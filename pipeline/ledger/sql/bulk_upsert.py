"""INSERT … ON CONFLICT for many rows, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.ledger.sql.bulk import execute_bulk


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update_columns: Sequence[str],
    conflict_columns: Sequence[str] | None = None,
    increment_column: str | None = None,
) -> None:
    """Insert rows; where one exists already, update the named columns (none: leave it as it is).

    `on` names the columns that make it the same row (default: the primary key); `plus_one` a column to count up.
    """
    if rows:
        same = tuple(conflict_columns or [column.name for column in table.primary_key])
        execute_bulk(conn, _statement(conn.dialect.name, table, tuple(update_columns), same, increment_column), rows)


@cache
def _statement(
    dialect: str,
    table: Table,
    update_columns: tuple[str, ...],
    conflict_columns: tuple[str, ...],
    increment_column: str | None,
) -> postgresql.Insert | sqlite.Insert:
    """Made once for each table: making it takes longer than writing a few rows."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in update_columns}
    if increment_column is not None:
        changes[increment_column] = table.c[increment_column] + 1
    if changes:
        return statement.on_conflict_do_update(index_elements=conflict_columns, set_=changes)
    return statement.on_conflict_do_nothing(index_elements=conflict_columns)
