"""One queue of hooks on disk: a SQLite file, in which every append is fsynced before it returns.

Hooks leave in the order they came. A damaged file never stops the receiver: its readable hooks move to a new file, and
the old one is kept beside it. Not for several threads; `SpoolDirectory` ensures that one process owns a file.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pipeline.core.errors import CratewireError
from pipeline.inbox.entry import RawHook
from pipeline.inbox.spool.file import COLUMNS, INSERT, open_file, select_after, shrink, to_row
from pipeline.inbox.spool.recovery import rebuild_file

log = logging.getLogger(__name__)

SPOOL_FILE_NAME = "hooks.db"
MIN_FREE_BYTES = 16_000_000  # with less, readiness reports the disk as full
CORRUPTION_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Result = TypeVar("Result")


class SpoolUnavailable(CratewireError):
    """The disk cannot be written or read now: it is full, read-only or failing."""


class Spool:
    """The queue in one directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SPOOL_FILE_NAME
        self._drained_id = 0  # ids up to this one have left, even if the disk was too full to delete them
        self._is_failing = False
        self.depth = 0
        self._conn: sqlite3.Connection | None = None
        self._run(_open_only)

    def append(self, hooks: Sequence[RawHook]) -> None:
        """Store all hooks, in one commit. Raises SpoolUnavailable."""
        rows = [to_row(hook) for hook in hooks]
        self._is_failing = True
        self._run(lambda conn: conn.executemany(INSERT, rows))
        self._is_failing = False
        self.depth += len(rows)

    def peek(self, count: int, max_bytes: int) -> list[tuple[int, RawHook]]:
        """Return the hooks at the front with their ids: at most `count` and about `max_bytes`, but at least one."""
        return self._run(lambda conn: self._peek(conn, count, max_bytes))

    def remove(self, last_id: int, count: int) -> None:
        """Delete the `count` hooks at the front, up to this id."""
        self._drained_id, self.depth = last_id, self.depth - count
        try:
            self._run(lambda conn: conn.execute("DELETE FROM hooks WHERE id <= ?", (self._drained_id,)))
            if not self.depth:
                self._run(shrink)
        except SpoolUnavailable as error:  # the id in memory still counts; the next removal deletes these as well
            log.warning("the spool could not be tidied", extra={"reason": str(error)})

    def get_oldest_received_at(self) -> int | None:
        """Return when the hook at the front was received, in µs."""
        front = self._run(
            lambda conn: select_after(conn, self._drained_id, "received_at", "ORDER BY id LIMIT 1").fetchone()
        )
        return int(front[0]) if front else None

    def is_writable(self) -> bool:
        """Return whether an append would probably succeed: the last write did and the disk has space left."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return False
        return not self._is_failing and disk.f_bavail * disk.f_frsize > MIN_FREE_BYTES

    def close(self) -> None:
        """Close the file."""
        if self._conn is not None:
            self._conn.close()
        self._conn = None

    def _connect(self) -> sqlite3.Connection:
        self._conn = open_file(self._path)
        self.depth = int(select_after(self._conn, self._drained_id, "count(*)").fetchone()[0])
        return self._conn

    def _rebuild(self) -> sqlite3.Connection:
        """Copy the readable hooks to a new file, and only then replace the damaged one with it."""
        self.close()
        rebuild_file(self._path, self._drained_id)
        self._drained_id = 0
        conn = self._connect()
        log.critical("a damaged spool file was rebuilt", extra={"hooks_saved": self.depth})
        return conn

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._run_or_rebuild(work)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpoolUnavailable(_get_error_name(error)) from error

    def _run_or_rebuild(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return _run_in_transaction(self._conn or self._connect(), work)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in CORRUPTION_CODES:
                raise
        return _run_in_transaction(self._rebuild(), work)

    def _peek(self, conn: sqlite3.Connection, count: int, max_bytes: int) -> list[tuple[int, RawHook]]:
        taken: list[tuple[int, RawHook]] = []
        size = 0
        for row_id, *row in select_after(conn, self._drained_id, f"id, {COLUMNS}", "ORDER BY id"):
            hook = RawHook(*row)
            size += hook.size
            if len(taken) == count or (taken and size > max_bytes):
                break
            taken.append((row_id, hook))
        return taken


def _run_in_transaction(conn: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result]) -> Result:
    with conn:
        return work(conn)


def _open_only(_: sqlite3.Connection) -> None:
    """Nothing to run: opens the file."""


def _get_error_name(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
