"""Inserts new rows, and numbers those whose numbers are needed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import Insert, Table, insert

from pipeline.ledger.sql.bulk import execute_bulk
from pipeline.ledger.sql.sequences import max_issued_id


def insert_returning_ids(conn: Database, table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert rows into a table numbered by `id`; returns their ids, which grow in the order of the rows.

    On SQLite an INSERT that returns ids goes row by row. Its one writer may as well number them: this transaction
    holds the write lock, and the next number is what SQLite itself would give, one more than the largest it ever gave.
    """
    if not rows:
        return ()
    if conn.dialect.name == "sqlite":
        first = max_issued_id(conn, table.name) + 1
        ids = range(first, first + len(rows))
        insert_rows(conn, table, [{"id": number, **row} for number, row in zip(ids, rows, strict=True)])
        return ids
    made = conn.execute(insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    return made.scalars().all()


def insert_rows(conn: Database, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name all that their table wants."""
    execute_bulk(conn, _insert_statement(table), rows)


@cache
def _insert_statement(table: Table) -> Insert:
    return insert(table)
