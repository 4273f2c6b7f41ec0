"""Finds rows by keys of several columns, by an index on both databases, in one statement however many keys there are.

`(kind, id) IN ((…), …)` would say the same, but SQLite reads the whole table for it: a hook cost five times as much in
a ledger of a million events. So the keys go in as one JSON text, and the table is joined to what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import JSON, Column, Row, Select, and_, bindparam, cast, column, func, select
from sqlalchemy import Connection as Database

Columns = tuple[Column[Any], ...]


def select_by_keys(
    conn: Database, columns: Columns, key_columns: Columns, keys: Iterable[tuple[Any, ...]]
) -> list[Row[Any]]:
    """These columns of the rows whose columns `by` hold one of the keys."""
    wanted = list(dict.fromkeys(keys))
    return list(conn.execute(_build_query(conn.dialect.name, columns, key_columns), {"keys": wanted})) if wanted else []


@cache
def _build_query(dialect: str, columns: Columns, key_columns: Columns) -> Select[Any]:
    """Made once for each lookup, as its text is."""
    each = func.json_each if dialect == "sqlite" else func.json_array_elements
    wanted = each(bindparam("keys", type_=JSON)).table_valued(column("value", JSON), name="wanted")
    parts = (wanted.c.value[place].as_string() for place in range(len(key_columns)))
    same = (one == cast(part, one.type) for one, part in zip(key_columns, parts, strict=True))
    return select(*columns).select_from(wanted.join(key_columns[0].table, and_(*same)))
