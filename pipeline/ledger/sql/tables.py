"""Statements that SQLite and PostgreSQL both take: INSERT … ON CONFLICT, rows by composite keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    TableValuedAlias,
    and_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import NullType

from pipeline.ledger.schema.base import Base
from pipeline.ledger.sql.arrays import build_arrays, find_codecs

_CHUNK_SIZE = 400  # bound parameters in one statement: SQLite takes 32 766, plans stay small

Columns = tuple[Column[Any], ...]
Columnish = ColumnElement[Any] | InstrumentedAttribute[Any]


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Split into lists of a size that fits one statement."""
    remaining = list(items)
    for start in range(0, len(remaining), _CHUNK_SIZE):
        yield remaining[start : start + _CHUNK_SIZE]


def insert_into(conn: Connection, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that takes ON CONFLICT, in the dialect of the connection."""
    return postgresql.insert(model) if conn.dialect.name == "postgresql" else sqlite.insert(model)


def select_by_keys(
    conn: Connection, columns: Columns, key_columns: Columns, keys: Iterable[tuple[Any, ...]]
) -> list[Row[Any]]:
    """The columns of the rows whose `key_columns` hold one of the keys: one statement, by an index on both databases.

    `(kind, id) IN ((…), …)` would say the same, but SQLite scans the whole table for it: a hook cost five times as
    much in a ledger of a million events. So the keys are passed as one JSON text, or as PostgreSQL's arrays, and the
    table is joined to them.
    """
    unique = list(dict.fromkeys(keys))
    if not unique:
        return []
    if conn.dialect.name == "postgresql" and (codecs := find_codecs(*_name_columns(key_columns))) is not None:
        arrays = build_arrays(codecs, zip(*unique, strict=True))
        params = {f"array_{place}": array for place, array in enumerate(arrays)}
        return list(conn.execute(_build_array_query(columns, key_columns), params))
    return list(conn.execute(_build_query(conn.dialect.name, columns, key_columns), {"keys": unique}))


@cache
def _name_columns(columns: Columns) -> tuple[Table, tuple[str, ...]]:
    return columns[0].table, tuple(column.name for column in columns)


@cache
def _build_array_query(columns: Columns, key_columns: Columns) -> Select[Any]:
    """For PostgreSQL, which expects a hundred keys of a JSON text, and sees how many there are in an array."""
    arrays = (bindparam(f"array_{place}", type_=NullType()) for place in range(len(key_columns)))
    values = (column(f"key_{place}", key.type) for place, key in enumerate(key_columns))
    wanted = func.unnest(*arrays).table_valued(*values, name="wanted").render_derived()
    matches = (key == value for key, value in zip(key_columns, wanted.c, strict=True))
    return select(*columns).select_from(wanted.join(key_columns[0].table, and_(*matches)))


@cache
def _build_query(dialect: str, columns: Columns, key_columns: Columns) -> Select[Any]:
    """Built once for each lookup, so that SQLAlchemy compiles its text once."""
    wanted = build_given_rows(dialect, "keys")
    given = (get_given(wanted, position, key) for position, key in enumerate(key_columns))
    matches = (key == value for key, value in zip(key_columns, given, strict=True))
    return select(*columns).select_from(wanted.join(key_columns[0].table, and_(*matches)))


def build_given_rows(dialect: str, name: str) -> TableValuedAlias:
    """A table of rows that a statement is given as one parameter of this name: a list of lists, as one JSON text."""
    json_each = func.json_each if dialect == "sqlite" else func.json_array_elements
    return json_each(bindparam(name, type_=JSON)).table_valued(column("value", JSON), name=f"given_{name}")


def get_given(rows: TableValuedAlias, position: int, like: Columnish) -> ColumnElement[Any]:
    """The value at this place of a given row, with the type of this column."""
    return sql_cast(rows.c.value[position].as_string(), like.type)
