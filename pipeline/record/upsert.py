"""INSERT … ON CONFLICT for many rows, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.record.in_bulk import in_bulk


def upsert(
    db: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Sequence[str],
    on: Sequence[str] | None = None,
    plus_one: str | None = None,
) -> None:
    """Insert rows; where one exists already, update the named columns (none: leave it as it is).

    `on` names the columns that make it the same row (default: the primary key); `plus_one` a column to count up.
    """
    if rows:
        same = tuple(on or [column.name for column in table.primary_key])
        in_bulk(db, _statement(db.dialect.name, table, tuple(update), same, plus_one), rows)


@cache
def _statement(
    dialect: str, table: Table, update: tuple[str, ...], same: tuple[str, ...], plus_one: str | None
) -> postgresql.Insert | sqlite.Insert:
    """Made once for each table: making it takes longer than writing a few rows."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in update}
    if plus_one is not None:
        changes[plus_one] = table.c[plus_one] + 1
    if changes:
        return statement.on_conflict_do_update(index_elements=same, set_=changes)
    return statement.on_conflict_do_nothing(index_elements=same)
