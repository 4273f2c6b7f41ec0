"""One disk queue for hooks that Redis does not take just now: a SQLite file, every append fsynced before it returns.

Hooks leave in the order they came. A damaged file never stops the receiver: what can be read of it moves into a new
file, and the old one is kept beside it. Not for several threads; `Spools` sees to it that one process owns a file.
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
from pipeline.inbox.spool.recovery import rebuild

log = logging.getLogger(__name__)

SPOOL_FILE_NAME = "hooks.db"
MIN_FREE_BYTES = 16_000_000  # below this the disk counts as full for readiness
CORRUPTION_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Result = TypeVar("Result")


class SpoolUnavailable(CratewireError):
    """The disk takes or gives no hooks now: it is full, read-only or failing."""


class Spool:
    """The queue in one directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SPOOL_FILE_NAME
        self._drained_id = 0  # ids up to this one have left, even if the disk was too full to delete them
        self._failing = False
        self.depth = 0
        self._db: sqlite3.Connection | None = None
        self._try(_no_work)

    def append(self, hooks: Sequence[RawHook]) -> None:
        """Keep all hooks, in one commit, or raise SpoolFull."""
        rows = [to_row(hook) for hook in hooks]
        self._failing = True
        self._try(lambda db: db.executemany(INSERT, rows))
        self._failing = False
        self.depth += len(rows)

    def peek(self, count: int, max_bytes: int) -> list[tuple[int, RawHook]]:
        """The hooks at the front with their ids: at most `count`, about `max_bytes`, at least one if there is any."""
        return self._try(lambda db: self._peek(db, count, max_bytes))

    def remove(self, upto: int, count: int) -> None:
        """Forget the hooks at the front up to this id; they are `count`."""
        self._drained_id, self.depth = upto, self.depth - count
        try:
            self._try(lambda db: db.execute("DELETE FROM hooks WHERE id <= ?", (self._drained_id,)))
            if not self.depth:
                self._try(shrink)
        except SpoolUnavailable as error:  # the mark in memory holds; the next removal deletes these as well
            log.warning("the spool could not be tidied", extra={"reason": str(error)})

    def get_oldest_received_at(self) -> int | None:
        """When the hook at the front was received, in µs."""
        front = self._try(
            lambda db: select_after(db, self._drained_id, "received_at", "ORDER BY id LIMIT 1").fetchone()
        )
        return int(front[0]) if front else None

    def is_writable(self) -> bool:
        """Whether an append would probably succeed: the last write did and the disk has space left."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return False
        return not self._failing and disk.f_bavail * disk.f_frsize > MIN_FREE_BYTES

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
        self._db = None

    def _connect(self) -> sqlite3.Connection:
        self._db = open_file(self._path)
        self.depth = int(select_after(self._db, self._drained_id, "count(*)").fetchone()[0])
        return self._db

    def _start_over(self) -> sqlite3.Connection:
        """Copy what can be read into a new file, and only then put it in the damaged one's place."""
        self.close()
        rebuild(self._path, self._drained_id)
        self._drained_id = 0
        db = self._connect()
        log.critical("a spool file was damaged and made anew", extra={"hooks_saved": self.depth})
        return db

    def _try(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._attempt(work)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpoolUnavailable(_get_error_name(error)) from error

    def _attempt(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return _run_in_transaction(self._db or self._connect(), work)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in CORRUPTION_CODES:
                raise
        return _run_in_transaction(self._start_over(), work)

    def _peek(self, db: sqlite3.Connection, count: int, max_bytes: int) -> list[tuple[int, RawHook]]:
        taken: list[tuple[int, RawHook]] = []
        size = 0
        for row_id, *row in select_after(db, self._drained_id, f"id, {COLUMNS}", "ORDER BY id"):
            hook = RawHook(*row)
            size += hook.size
            if len(taken) == count or (taken and size > max_bytes):
                break
            taken.append((row_id, hook))
        return taken


def _run_in_transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result]) -> Result:
    with db:
        return work(db)


def _no_work(_: sqlite3.Connection) -> None:
    """Work for a first attempt that only opens the file."""


def _get_error_name(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
