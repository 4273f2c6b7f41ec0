"""Copies a whole ledger from SQLite into an empty PostgreSQL, for when one host is no longer enough.

JSON is copied as text: decoded and encoded again, a missing value would become a null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.revision import is_current
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.rehearsals import StartedRelease
from pipeline.ledger.sql.packed_json import PackedJSON
from pipeline.ledger.sql.sequences import max_issued_ids

BATCH_ROWS = 1000


def copy_database(source_url: str, target_url: str) -> dict[str, int]:
    """Copy all rows or none; returns the number by table. Both databases have the newest schema and no writers.

    Raise Misconfigured if the source is missing or of another version, or the target is not empty.
    """
    source, target = _engine(source_url, "sqlite"), _engine(target_url, "postgresql")
    try:
        _require_file(source)
        if not is_current(source):
            raise Misconfigured("the database to copy from is of another version: run `cratewire migrate` for it first")
        with reading(source) as old, writing(target) as new:
            if not _is_empty(new):
                raise Misconfigured("the database to copy to is not empty: give it a new one")
            copied = {table.name: _copy_table(old, new, table) for table in _list_tables()}
            _set_sequences(new, max_issued_ids(old))
            return copied
    finally:
        source.dispose()
        target.dispose()


def _list_tables() -> list[Table]:
    """All but the one that a migration writes to: which versions have started with a database is its own."""
    return [table for table in list_all_tables() if table is not StartedRelease.__table__]


def _engine(url: str, dialect: str) -> Engine:
    engine = make_engine(url)
    if engine.dialect.name != dialect:
        raise Misconfigured("a ledger is copied from sqlite:// to the postgresql:// of DATABASE_URL, and not otherwise")
    return engine


def _require_file(source: Engine) -> None:
    """Raise Misconfigured if the file is missing: SQLite would create an empty database."""
    path = make_url(source.url).database or ""
    if not Path(path).is_file():
        raise Misconfigured(f"there is no database at {path}")


def _is_empty(new: Connection) -> bool:
    tables = _list_tables()
    return all(new.execute(select(literal(1)).select_from(table).limit(1)).first() is None for table in tables)


def _copy_table(old: Connection, new: Connection, table: Table) -> int:
    statement = insert(table).values({column.name: _bind_value(column) for column in table.columns})
    copied = 0
    for rows in _read_batches(old, table):
        new.execute(statement, rows)
        copied += len(rows)
    return copied


def _set_sequences(new: Connection, max_ids: Mapping[str, int]) -> None:
    """Continue each table's ids after the largest ever issued, including ids of deleted rows."""
    for table in list_all_tables():
        key, largest = table.autoincrement_column, max_ids.get(table.name, 0)
        if key is not None and largest:
            new.execute(select(func.setval(func.pg_get_serial_sequence(table.name, key.name), largest)))


def _read_batches(old: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    found = old.execution_options(yield_per=BATCH_ROWS).execute(select(*map(_select_as_text, table.columns)))
    for rows in found.partitions():
        yield [{f"new_{name}": value for name, value in row._asdict().items()} for row in rows]


def _select_as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(column, Text).label(column.key) if _is_json(column) else column


def _bind_value(column: ColumnElement[Any]) -> ColumnElement[Any]:
    name = f"new_{column.key}"
    return cast(bindparam(name, type_=Text()), JSONB) if _is_json(column) else bindparam(name, type_=column.type)


def _is_json(column: ColumnElement[Any]) -> bool:
    """Its text is copied. Of a packed column too: that is null, and the bytes beside it are copied as they are."""
    return isinstance(column.type, JSON | PackedJSON)
