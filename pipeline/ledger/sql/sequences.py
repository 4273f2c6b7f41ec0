"""The largest id each table has ever issued. Ids only grow: the id of a deleted row is never issued again.

PostgreSQL's sequences guarantee that by themselves. SQLite stores it for tables with AUTOINCREMENT in
`sqlite_sequence`, and drops it with the table, which migrations copy to change it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

_EXISTS = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")
_ALL = text("SELECT name, seq FROM sqlite_sequence")
_ONE = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_ADD_SEQUENCE = text(
    "INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0 "
    "WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name) "
    "AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
)
_RAISE_SEQUENCE = text("UPDATE sqlite_sequence SET seq = :seq WHERE name = :name AND seq < :seq")


def max_issued_id(sqlite: Connection, table: str) -> int:
    """The largest id this SQLite table has ever issued; 0 if none."""
    return sqlite.execute(_ONE, {"name": table}).scalar() or 0


def max_issued_ids(sqlite: Connection) -> dict[str, int]:
    """The largest issued id by table, of the tables that have issued any."""
    if sqlite.execute(_EXISTS).first() is None:
        return {}
    return {row.name: row.seq for row in sqlite.execute(_ALL)}


def restore_max_issued_ids(sqlite: Connection, max_ids: Mapping[str, int]) -> None:
    """Make these SQLite tables, if they still exist, issue larger ids only."""
    if max_ids:
        rows = [{"name": name, "seq": seq} for name, seq in max_ids.items()]
        sqlite.execute(_ADD_SEQUENCE, rows)
        sqlite.execute(_RAISE_SEQUENCE, rows)
