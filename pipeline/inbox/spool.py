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

from pipeline.errors import CratewireError
from pipeline.inbox.raw_hook import RawHook
from pipeline.inbox.salvage import rebuild
from pipeline.inbox.spool_file import COLUMNS, INSERT, after, open_file, shrink, to_row

log = logging.getLogger(__name__)

FILE = "hooks.db"
MIN_FREE = 16_000_000  # below this the disk counts as full for readiness
BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Result = TypeVar("Result")


class SpoolFull(CratewireError):
    """The disk takes or gives no hooks now: it is full, read-only or failing."""


class Spool:
    """The queue in one directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._drained = 0  # ids up to this one have left, even if the disk was too full to delete them
        self._failing = False
        self.depth = 0
        self._db: sqlite3.Connection | None = None
        self._try(_nothing)

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
        self._drained, self.depth = upto, self.depth - count
        try:
            self._try(lambda db: db.execute("DELETE FROM hooks WHERE id <= ?", (self._drained,)))
            if not self.depth:
                self._try(shrink)
        except SpoolFull as error:  # the mark in memory holds; the next removal deletes these as well
            log.warning("the spool could not be tidied", extra={"reason": str(error)})

    def oldest(self) -> int | None:
        """When the hook at the front was received, in µs."""
        front = self._try(lambda db: after(db, self._drained, "received_at", "ORDER BY id LIMIT 1").fetchone())
        return int(front[0]) if front else None

    def writable(self) -> bool:
        """Whether an append would probably succeed: the last write did and the disk has space left."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return False
        return not self._failing and disk.f_bavail * disk.f_frsize > MIN_FREE

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
        self._db = None

    def _connect(self) -> sqlite3.Connection:
        self._db = open_file(self._path)
        self.depth = int(after(self._db, self._drained, "count(*)").fetchone()[0])
        return self._db

    def _start_over(self) -> sqlite3.Connection:
        """Copy what can be read into a new file, and only then put it in the damaged one's place."""
        self.close()
        rebuild(self._path, self._drained)
        self._drained = 0
        db = self._connect()
        log.critical("a spool file was damaged and made anew", extra={"hooks_saved": self.depth})
        return db

    def _try(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._attempt(work)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpoolFull(_reason(error)) from error

    def _attempt(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return _committed(self._db or self._connect(), work)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in BROKEN:
                raise
        return _committed(self._start_over(), work)

    def _peek(self, db: sqlite3.Connection, count: int, max_bytes: int) -> list[tuple[int, RawHook]]:
        taken: list[tuple[int, RawHook]] = []
        size = 0
        for row_id, *row in after(db, self._drained, f"id, {COLUMNS}", "ORDER BY id"):
            hook = RawHook(*row)
            size += hook.size
            if len(taken) == count or (taken and size > max_bytes):
                break
            taken.append((row_id, hook))
        return taken


def _committed(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result]) -> Result:
    with db:
        return work(db)


def _nothing(_: sqlite3.Connection) -> None:
    """Work for a first attempt that only opens the file."""


def _reason(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
