"""What to do with a damaged spool file: read from both ends whatever can still be read, and keep the old file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.inbox.spool_file import COLUMNS, INSERT, after, open_file

JOURNALS = ("", "-wal", "-shm")


def rebuild(path: Path, mark: int) -> None:
    """Put a new file with the readable hooks after the mark in the damaged one's place, which moves aside."""
    fresh = path.with_name(f"{path.name}.new")
    for suffix in JOURNALS:
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    db = open_file(fresh)
    try:
        with db:
            db.executemany(INSERT, salvage(path, mark))
    finally:
        db.close()
    _set_aside(path)
    fresh.rename(path)


def salvage(path: Path, mark: int) -> Iterator[tuple[Any, ...]]:
    """The readable hooks in their order: those up to the damage, then those behind it."""
    last = mark
    for row in _rows(path, mark, "ORDER BY id"):
        last = row[0]
        yield row[1:]
    behind = list(_rows(path, last, "ORDER BY id DESC"))
    for row in reversed(behind):
        yield row[1:]


def _rows(path: Path, mark: int, order: str) -> Iterator[tuple[Any, ...]]:
    """Rows until the first that cannot be read."""
    db = sqlite3.connect(path)
    try:
        yield from after(db, mark, f"id, {COLUMNS}", order)
    except sqlite3.DatabaseError:
        return
    finally:
        db.close()


def _set_aside(path: Path) -> None:
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for suffix in JOURNALS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
