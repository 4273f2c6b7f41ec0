"""The SQLite file of a spool: its table, how it is opened and how it is shrunk."""

from __future__ import annotations

import os
import sqlite3
from operator import attrgetter
from pathlib import Path

COLUMNS = "receipt, store, version, event, received_at, raw, query, source"
INSERT = f"INSERT INTO hooks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 constants only
# AUTOINCREMENT: an id is never used twice, so the id of the last drained hook says which hooks have left.
SCHEMA = f"CREATE TABLE IF NOT EXISTS hooks (id INTEGER PRIMARY KEY AUTOINCREMENT, {COLUMNS})"
# FULL: a commit is on disk when it returns, in WAL mode too.
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL")

to_row = attrgetter(*COLUMNS.split(", "))


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file. Creates the file and its table if they are missing."""
    conn = sqlite3.connect(path, timeout=1.0)
    try:
        for pragma in PRAGMAS:
            conn.execute(f"PRAGMA {pragma}")
        with conn:
            conn.execute(SCHEMA)
        _sync_directory(path.parent)
    except BaseException:
        conn.close()
        raise
    return conn


def select_after(conn: sqlite3.Connection, after_id: int, columns: str, clauses: str = "") -> sqlite3.Cursor:
    """Select from the hooks whose id is greater than `after_id`."""
    return conn.execute(f"SELECT {columns} FROM hooks WHERE id > ? {clauses}", (after_id,))  # noqa: S608 constants only


def shrink(conn: sqlite3.Connection) -> None:
    """Free the disk space of a spool while it is empty, when there is next to nothing to copy."""
    conn.execute("VACUUM")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _sync_directory(directory: Path) -> None:
    """Sync the directory and its parent: SQLite syncs the file, but not its entry in the directory."""
    for path in (directory, directory.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
