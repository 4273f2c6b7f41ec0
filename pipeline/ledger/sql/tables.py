"""Statements that SQLite and PostgreSQL both take: INSERT … ON CONFLICT, rows by composite keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import JSON, Column, Connection, Row, Select, and_, bindparam, column, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.ledger.schema.base import Base

_CHUNK_SIZE = 400  # bound parameters in one statement: SQLite takes 32 766, plans stay small

Columns = tuple[Column[Any], ...]


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
    much in a ledger of a million events. So the keys are passed as one JSON text, and the table is joined to it.
    """
    unique = list(dict.fromkeys(keys))
    return list(conn.execute(_build_query(conn.dialect.name, columns, key_columns), {"keys": unique})) if unique else []


@cache
def _build_query(dialect: str, columns: Columns, key_columns: Columns) -> Select[Any]:
    """Built once for each lookup, so that SQLAlchemy compiles its text once."""
    json_each = func.json_each if dialect == "sqlite" else func.json_array_elements
    wanted = json_each(bindparam("keys", type_=JSON)).table_valued(column("value", JSON), name="wanted")
    parts = (wanted.c.value[position].as_string() for position in range(len(key_columns)))
    matches = (key == sql_cast(part, key.type) for key, part in zip(key_columns, parts, strict=True))
    return select(*columns).select_from(wanted.join(key_columns[0].table, and_(*matches)))
