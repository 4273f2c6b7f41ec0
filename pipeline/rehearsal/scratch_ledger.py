"""A ledger of one run: a SQLite file in a folder of its own, which is deleted when the run ends.

It need not survive a power cut, so nothing is synced. The tables are those of the version that runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, LargeBinary, Table, event, insert

from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.all_tables import list_all_tables

_PRAGMAS = ("PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF", "PRAGMA secure_delete = OFF")
_FILE_NAME = "ledger.db"


def create_scratch_ledger(folder: Path) -> Engine:
    """Create an empty ledger in this folder."""
    url = f"sqlite:///{folder / _FILE_NAME}"
    migrate(url, report=lambda _sentence: None)
    engine = make_engine(url)

    @event.listens_for(engine, "connect")
    def hasten(connection: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    return engine


def insert_given_rows(engine: Engine, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows by table. They may be of another version: what this one does not have is left out."""
    tables = {table.name: table for table in list_all_tables()}
    with writing(engine) as conn:
        for name, given in rows.items():
            for part in _group_by_columns([_fit(tables[name], row) for row in given] if name in tables else []):
                conn.execute(insert(tables[name]), part)


def _group_by_columns(rows: Sequence[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """Rows that are inserted together name the same columns."""
    parts: dict[frozenset[str], list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault(frozenset(row), []).append(row)
    return parts.values()


def _fit(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    fitting = {name: value for name, value in row.items() if name in table.c}
    missing = (column for column in table.columns if column.name not in row and not column.nullable)
    return {**fitting, **{column.name: b"" for column in missing if isinstance(column.type, LargeBinary)}}
