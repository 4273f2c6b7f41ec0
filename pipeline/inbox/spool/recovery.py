"""What to do with a damaged spool file: read from both ends whatever can still be read, and keep the old file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.inbox.spool.file import COLUMNS, INSERT, open_file, select_after

SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm")


def rebuild(path: Path, after_id: int) -> None:
    """Put a new file with the readable hooks after the mark in the damaged one's place, which moves aside."""
    fresh = path.with_name(f"{path.name}.new")
    for suffix in SQLITE_FILE_SUFFIXES:
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    db = open_file(fresh)
    try:
        with db:
            db.executemany(INSERT, read_undamaged_rows(path, after_id))
    finally:
        db.close()
    _keep_damaged_file(path)
    fresh.rename(path)


def read_undamaged_rows(path: Path, after_id: int) -> Iterator[tuple[Any, ...]]:
    """The readable hooks in their order: those up to the damage, then those behind it."""
    last = after_id
    for row in _read_until_damage(path, after_id, "ORDER BY id"):
        last = row[0]
        yield row[1:]
    behind = list(_read_until_damage(path, last, "ORDER BY id DESC"))
    for row in reversed(behind):
        yield row[1:]


def _read_until_damage(path: Path, after_id: int, order: str) -> Iterator[tuple[Any, ...]]:
    """Rows until the first that cannot be read."""
    db = sqlite3.connect(path)
    try:
        yield from select_after(db, after_id, f"id, {COLUMNS}", order)
    except sqlite3.DatabaseError:
        return
    finally:
        db.close()


def _keep_damaged_file(path: Path) -> None:
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for suffix in SQLITE_FILE_SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
