"""Rebuilds a damaged spool file from the hooks that can be read from both of its ends, and keeps the old file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.inbox.spool.file import COLUMNS, INSERT, open_file, select_after

SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm")


def rebuild_file(path: Path, after_id: int) -> None:
    """Replace the file with a new one of its readable hooks with ids above `after_id`. The damaged file is renamed."""
    fresh = path.with_name(f"{path.name}.new")
    for suffix in SQLITE_FILE_SUFFIXES:
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    conn = open_file(fresh)
    try:
        with conn:
            conn.executemany(INSERT, read_undamaged_rows(path, after_id))
    finally:
        conn.close()
    _keep_damaged_file(path)
    fresh.rename(path)


def read_undamaged_rows(path: Path, after_id: int) -> Iterator[tuple[Any, ...]]:
    """Yield the readable hooks in their order: those before the damage, then those behind it."""
    last_id = after_id
    for row in _read_until_damage(path, after_id, "ORDER BY id"):
        last_id = row[0]
        yield row[1:]
    behind = list(_read_until_damage(path, last_id, "ORDER BY id DESC"))
    for row in reversed(behind):
        yield row[1:]


def _read_until_damage(path: Path, after_id: int, order: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows up to the first that cannot be read."""
    conn = sqlite3.connect(path)
    try:
        yield from select_after(conn, after_id, f"id, {COLUMNS}", order)
    except sqlite3.DatabaseError:
        return
    finally:
        conn.close()


def _keep_damaged_file(path: Path) -> None:
    number = 1
    while (kept := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for suffix in SQLITE_FILE_SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
