"""The largest id each table has ever given. Ids only grow: what names a row that was deleted names no other one.

PostgreSQL's sequences keep it by themselves. SQLite keeps it for tables with AUTOINCREMENT, in `sqlite_sequence`, and
forgets it with the table, which migrations copy to change it.
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
    """The largest id this table of an SQLite has ever given; 0 if none."""
    return sqlite.execute(_ONE, {"name": table}).scalar() or 0


def max_issued_ids(sqlite: Connection) -> dict[str, int]:
    """The same by table, of those that have given any."""
    if sqlite.execute(_EXISTS).first() is None:
        return {}
    return {row.name: row.seq for row in sqlite.execute(_ALL)}


def restore_max_issued_ids(sqlite: Connection, given: Mapping[str, int]) -> None:
    """See to it that these tables of an SQLite, if they are still there, give only larger ids."""
    if given:
        rows = [{"name": name, "seq": seq} for name, seq in given.items()]
        sqlite.execute(_ADD_SEQUENCE, rows)
        sqlite.execute(_RAISE_SEQUENCE, rows)
