"""INSERT … ON CONFLICT for many rows, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


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
    if not rows:
        return
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    same = list(on or [column.name for column in table.primary_key])
    changes: dict[str, Any] = {name: statement.excluded[name] for name in update}
    if plus_one is not None:
        changes[plus_one] = table.c[plus_one] + 1
    if changes:
        db.execute(statement.on_conflict_do_update(index_elements=same, set_=changes), list(rows))
    else:
        db.execute(statement.on_conflict_do_nothing(index_elements=same), list(rows))
