"""Writes many rows with one statement: INSERT, INSERT … ON CONFLICT, UPDATE or DELETE.

On SQLite this skips SQLAlchemy's processing of each value of each row, which costs half as much as writing it. The text
of the statement, and how a column's type converts its values for the driver, are still SQLAlchemy's. On PostgreSQL rows
are passed as one array for each column: `pipeline.ledger.sql.arrays`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, Connection, CursorResult, Delete, Dialect, Insert, Table, Update, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from pipeline.ledger.sql import json_type
from pipeline.ledger.sql.arrays import POSTGRESQL, build_arrays, find_codecs
from pipeline.ledger.sql.sequences import max_issued_id

Statement = Insert | Update | Delete
Names = tuple[str, ...]

_KEY_NAME = "of_id"  # of the parameter that says which row is updated: its column may have a parameter of its own


@dataclass(frozen=True, slots=True)
class _PreparedStatement:
    """A statement's text with ? for each value, the names of these values in order, and the converters of those whose
    type has one, by place.
    """

    text: str
    names: Names
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]

    def convert(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The rows' values as the driver takes them: by place, for it looks each name up otherwise."""
        names, converters = self.names, self.converters
        if not converters:
            return [tuple([row[name] for name in names]) for row in rows]
        converted = []
        for row in rows:
            values = [row[name] for name in names]
            for place, converter in converters:
                values[place] = converter(values[place])
            converted.append(tuple(values))
        return converted


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
        conn.exec_driver_sql(prepared.text, prepared.convert(rows))


def insert_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name every column without a default."""
    if not rows:
        return
    if conn.dialect.name == "postgresql" and _insert_arrays(conn, table, rows) is not None:
        return
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
    # Numbers are issued in the order in which rows are inserted, but RETURNING promises none.
    if (issued := _insert_arrays(conn, table, rows, "RETURNING id")) is not None:
        return sorted(issued.scalars())
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
    Rows without a number are written, and so locked, in the order of these columns: two writers of the same rows wait
    for each other instead of ending in a deadlock.
    """
    if not rows:
        return
    conflict = tuple(conflict_columns or [column.name for column in table.primary_key])
    if "id" not in table.columns:  # whose numbers grow in the order of the rows
        rows = sorted(rows, key=itemgetter(*conflict))
    is_left = not update_columns and increment_column is None
    if conn.dialect.name == "postgresql" and (is_left or _are_distinct(rows, conflict)):
        end = _describe_conflict(table, tuple(update_columns), conflict, increment_column)
        if _insert_arrays(conn, table, rows, end) is not None:
            return
    statement = _build_upsert(conn.dialect.name, table, tuple(update_columns), conflict, increment_column)
    execute_bulk(conn, statement, rows)


def update_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows of a table numbered by `id`. All rows have the same keys, `id` among them; each is given once."""
    if not rows:
        return
    names = tuple(rows[0])
    if conn.dialect.name == "postgresql" and (codecs := find_codecs(table, names)) is not None:
        conn.exec_driver_sql(_describe_update(table, names), build_arrays(codecs, _split(rows, names)))
        return
    renamed = [{_KEY_NAME if name == "id" else name: value for name, value in row.items()} for row in rows]
    execute_bulk(conn, _build_update(table, names), renamed)


def _insert_arrays(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], end: str = ""
) -> CursorResult[Any] | None:
    """Insert rows on PostgreSQL by one statement; None if the rows leave out what SQLAlchemy has to add."""
    names = tuple(rows[0])
    codecs = find_codecs(table, names)
    if codecs is None or not _names_all_defaults(table, names):
        return None
    text = f"{_describe_insert(table, names)} {end}"
    return conn.exec_driver_sql(text, build_arrays(codecs, _split(rows, names)))


def _split(rows: Sequence[Mapping[str, Any]], names: Names) -> Iterator[list[Any]]:
    """The values of each column."""
    return ([row[name] for row in rows] for name in names)


def _are_distinct(rows: Sequence[Mapping[str, Any]], names: Names) -> bool:
    """Whether no two rows have the same values there: one statement of PostgreSQL updates no row twice."""
    return len({tuple(row[name] for name in names) for row in rows}) == len(rows)


@cache
def _names_all_defaults(table: Table, names: Names) -> bool:
    return all(column.name in names for column in table.columns if column.default is not None)


@cache
def _describe_insert(table: Table, names: Names) -> str:
    columns = ", ".join(map(_quote, names))
    arrays = ", ".join(["unnest(%s)"] * len(names))
    return f"INSERT INTO {_quote(table.name)} ({columns}) SELECT {arrays}"


@cache
def _describe_conflict(table: Table, update_columns: Names, conflict: Names, increment_column: str | None) -> str:
    changes = [f"{_quote(name)} = excluded.{_quote(name)}" for name in update_columns]
    if increment_column is not None:
        changes.append(f"{_quote(increment_column)} = {_quote(table.name)}.{_quote(increment_column)} + 1")
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    return f"ON CONFLICT ({', '.join(map(_quote, conflict))}) DO {action}"


@cache
def _describe_update(table: Table, names: Names) -> str:
    name, columns = _quote(table.name), [*map(_quote, names)]
    changes = ", ".join(f"{column} = new.{column}" for column in columns if column != "id")
    arrays = ", ".join(f"unnest(%s) AS {column}" for column in columns)
    return f"UPDATE {name} SET {changes} FROM (SELECT {arrays}) AS new WHERE {name}.id = new.id"  # noqa: S608


def _quote(name: str) -> str:
    return POSTGRESQL.identifier_preparer.quote(name)


def _get_prepared(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    known = _PREPARED.setdefault(dialect, {})
    if (statement, names) not in known:
        known[statement, names] = _prepare(dialect, statement, names)
    return known[statement, names]


def _prepare(dialect: Dialect, statement: Statement, names: Names) -> _PreparedStatement | None:
    """None if the statement has parameters that the rows do not name, such as a column's default."""
    keys = None if isinstance(statement, Update) else list(names)
    compiled: Any = statement.compile(dialect=sqlite.dialect(), column_keys=keys)
    if set(compiled.params) != set(names):
        return None
    order: list[str] = compiled.positiontup or []
    types = {name: parameter.type.dialect_impl(dialect) for parameter, name in compiled.bind_names.items()}
    converters = ((place, _find_converter(types[name], dialect)) for place, name in enumerate(order))
    return _PreparedStatement(
        str(compiled),
        tuple(order),
        tuple((place, converter) for place, converter in converters if converter is not None),
    )


def _find_converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return json_type.dumps if isinstance(kind, JSON) else kind.bind_processor(dialect)


@cache
def _build_insert(table: Table) -> Insert:
    return insert(table)


@cache
def _build_update(table: Table, names: Names) -> Update:
    changes: dict[str, Any] = {name: bindparam(name) for name in names if name != "id"}
    return update(table).where(table.c.id == bindparam(_KEY_NAME)).values(changes)


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
