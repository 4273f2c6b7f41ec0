"""The SQLite file of a spool: its one table, how it is opened and how it gives disk space back."""

from __future__ import annotations

import os
import sqlite3
from operator import attrgetter
from pathlib import Path

COLUMNS = "receipt, store, version, event, received_at, raw, query, source"
INSERT = f"INSERT INTO hooks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 constants only
# AUTOINCREMENT: an id is never used twice, so the id of the last drained hook is a safe mark.
SCHEMA = f"CREATE TABLE IF NOT EXISTS hooks (id INTEGER PRIMARY KEY AUTOINCREMENT, {COLUMNS})"
# FULL: a commit has reached the disk when it returns, in WAL mode too.
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL")

to_row = attrgetter(*COLUMNS.split(", "))


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file; create it and its table if need be."""
    db = sqlite3.connect(path, timeout=1.0)
    try:
        for pragma in PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        with db:
            db.execute(SCHEMA)
        _sync_directory(path.parent)
    except BaseException:
        db.close()
        raise
    return db


def select_after(db: sqlite3.Connection, after_id: int, columns: str, clauses: str = "") -> sqlite3.Cursor:
    """Select from the hooks with a greater id than the mark."""
    return db.execute(f"SELECT {columns} FROM hooks WHERE id > ? {clauses}", (after_id,))  # noqa: S608 constants only


def shrink(db: sqlite3.Connection) -> None:
    """Give the disk space of an empty spool back; while it is empty there is next to nothing to copy."""
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _sync_directory(directory: Path) -> None:
    """SQLite syncs the file; that the file is in its directory, and the directory in its parent, is ours to sync."""
    for path in (directory, directory.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
