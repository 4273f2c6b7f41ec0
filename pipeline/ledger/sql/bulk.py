"""Writes many rows with one statement: INSERT, INSERT … ON CONFLICT, UPDATE or DELETE.

On SQLite this skips SQLAlchemy's processing of each value of each row, which costs half as much as writing it. The text
of the statement, and how a column's type converts its values for the driver, are still SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Delete, Dialect, Insert, Table, Update, insert
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.ledger.sql.sequences import max_issued_id

Statement = Insert | Update | Delete
Names = tuple[str, ...]

_NAMED_STYLE = sqlite.dialect(paramstyle="named")  # :name instead of ?, so that rows are passed as they are


@dataclass(frozen=True, slots=True)
class _PreparedStatement:
    """A statement's text with named parameters, and the converters of the columns whose type has one."""

    text: str
    converters: tuple[tuple[str, Callable[[Any], Any]], ...]

    def convert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's values as the driver takes them."""
        values = dict(row)
        for name, converter in self.converters:
            values[name] = converter(values[name])
        return values


_PREPARED: WeakKeyDictionary[Dialect, dict[tuple[Statement, Names], _PreparedStatement | None]] = WeakKeyDictionary()


def execute_bulk(conn: Connection, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute the statement once for each row.

    All rows have the same keys, in the same order. Statements are cached by identity: build each once and reuse it.
    """
    if not rows:
        return
    prepared = _get_prepared(conn.dialect, statement, tuple(rows[0])) if conn.dialect.name == "sqlite" else None
    if prepared is None:
        conn.execute(statement, rows)
    else:
        conn.exec_driver_sql(prepared.text, [prepared.convert(row) for row in rows])


def insert_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name every column without a default."""
    execute_bulk(conn, _build_insert(table), rows)


def insert_returning_ids(conn: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert rows into a table numbered by `id`; returns their ids, which grow in the order of the rows.

    On SQLite an INSERT that returns ids goes row by row. Its only writer may as well choose the ids: this transaction
    holds the write lock, and the next id is the one SQLite would choose, the largest it has ever issued plus one.
    """
    if not rows:
        return ()
    if conn.dialect.name == "sqlite":
        first = max_issued_id(conn, table.name) + 1
        ids = range(first, first + len(rows))
        insert_rows(conn, table, [{"id": row_id, **row} for row_id, row in zip(ids, rows, strict=True)])
        return ids
    returned = conn.execute(insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    return returned.scalars().all()


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

    `conflict_columns` identify an existing row (default: the primary key); `increment_column` is a column to count up.
    """
    if rows:
        conflict = tuple(conflict_columns or [column.name for column in table.primary_key])
        statement = _build_upsert(conn.dialect.name, table, tuple(update_columns), conflict, increment_column)
        execute_bulk(conn, statement, rows)


def _get_prepared(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    known = _PREPARED.setdefault(dialect, {})
    if (statement, names) not in known:
        known[statement, names] = _prepare(dialect, statement, names)
    return known[statement, names]


def _prepare(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    """None if the statement has parameters that the rows do not name, such as a column's default."""
    keys = None if isinstance(statement, Update) else list(names)
    compiled: Any = statement.compile(dialect=_NAMED_STYLE, column_keys=keys)
    if set(compiled.params) != set(names):
        return None
    converters = (
        (name, parameter.type.dialect_impl(dialect).bind_processor(dialect))
        for parameter, name in compiled.bind_names.items()
    )
    return _PreparedStatement(
        str(compiled), tuple((name, converter) for name, converter in converters if converter is not None)
    )


@cache
def _build_insert(table: Table) -> Insert:
    return insert(table)


@cache
def _build_upsert(
    dialect: str,
    table: Table,
    update_columns: tuple[str, ...],
    conflict_columns: tuple[str, ...],
    increment_column: str | None,
) -> postgresql.Insert | sqlite.Insert:
    """Built once for each table: building it takes longer than writing a few rows."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in update_columns}
    if increment_column is not None:
        changes[increment_column] = table.c[increment_column] + 1
    if changes:
        return statement.on_conflict_do_update(index_elements=conflict_columns, set_=changes)
    return statement.on_conflict_do_nothing(index_elements=conflict_columns)
