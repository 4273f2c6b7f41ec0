"""Gives the space of deleted rows back to the disk, a little at a time, and leaves nothing of them in the files.

SQLite overwrites deleted rows with zeros (`secure_delete`). Their pages stay in the file and are used again;
`vacuum_step` cuts them off its end. That needs a file made for it (`auto_vacuum`), and `rewrite_once` makes one of an
older file. PostgreSQL's autovacuum does the same work by itself; `vacuum_all` does it now.

A page that SQLite splits or merges keeps copies of the rows that moved, in its unused part, and these are not
overwritten when the rows are deleted (seen with 3.40). Only `VACUUM`, which writes every page anew, leaves none.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from pipeline.core.slice_size import SliceSize
from pipeline.ledger.engine import BUSY_TIMEOUT_S, make_engine, working_outside_transactions
from pipeline.ledger.schema.all_tables import list_all_tables

INCREMENTAL = 2  # SQLite's number for `auto_vacuum = INCREMENTAL`
_COPIES = 2  # of the file that a rewriting needs room for: the new one, and the log that puts it in the old one's place
_CHECKPOINT_TRIES = 20  # a reader keeps the log from being emptied for as long as it reads
_CHECKPOINT_TIMEOUT_MS = 50  # of one try, since writers wait meanwhile
_CHECKPOINT_PAUSE_S = 0.1
_LEAST_PAGES = 20
_MAX_REWRITTEN_BYTES = 512 * 1024 * 1024  # takes some five seconds, and writers wait for ten: BUSY_TIMEOUT_S
_STEP_PAUSE_S = 0.03  # in which those who wait for the lock take it
_GB = 1e9


def count_free_pages(engine: Engine) -> tuple[int, int]:
    """SQLite's pages that hold nothing, and all its pages. (0, 0) on PostgreSQL, which manages its own."""
    if engine.dialect.name != "sqlite":
        return 0, 0
    with working_outside_transactions(engine) as driver:
        return _read_number(driver, "freelist_count"), _read_number(driver, "page_count")


def vacuum_step(engine: Engine, size: SliceSize) -> int:
    """Cut some free pages off the file, in one short transaction; returns how many went, and adjusts `size`.

    0 on PostgreSQL, if no page is free, and on a SQLite file that has not been rewritten for it.
    """
    if engine.dialect.name != "sqlite":
        return 0
    with working_outside_transactions(engine) as driver:
        before, began = _read_number(driver, "page_count"), time.perf_counter()
        # As a script: a single statement would be stopped after its first page.
        driver.executescript(f"PRAGMA incremental_vacuum({size.size})")
        freed = before - _read_number(driver, "page_count")
        size.adjust(freed, time.perf_counter() - began)
        return freed


def vacuum_all(engine: Engine, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Give all free space back and empty the log, so that the files hold nothing that was deleted.

    A file that is large, in use or without room beside it is not written anew: the unused parts of its pages keep what
    they have until other rows take their place.

    False if the log could not be emptied, because a reader kept on reading: call it again later. On PostgreSQL the
    tables of the ledger are vacuumed; its write-ahead log keeps what it has until the server recycles it.
    """
    if engine.dialect.name != "sqlite":
        _vacuum_postgresql(engine)
        return True
    if not _rewrite_small_file(engine):
        size = SliceSize(smallest=_LEAST_PAGES)
        while vacuum_step(engine, size):
            sleep(_STEP_PAUSE_S)
    for _ in range(_CHECKPOINT_TRIES):
        if empty_log(engine):
            return True
        sleep(_CHECKPOINT_PAUSE_S)
    return False


def rewrite_once(url: str, report: Callable[[str], object]) -> None:
    """Rewrite a SQLite file that was made before Cratewire gave space back, so that it can. Reports what it does.

    Writers wait meanwhile: hooks are stored in the inbox. If that fails, everything works as before, without giving
    space back, and the next call tries again.
    """
    engine = make_engine(url, connections=1)
    try:
        if can_give_back(engine) or engine.url.database is None:
            return
        size, free = _measure(Path(engine.url.database))
        if free < size * _COPIES:
            report(
                f"The database cannot give the space of deleted rows back yet: rewriting it once needs "
                f"{size * _COPIES / _GB:.1f} GB free beside it, and {free / _GB:.1f} GB are. Free some space and run "
                f"`cratewire migrate` again."
            )
            return
        report(f"Rewriting the database once ({size / _GB:.2f} GB), so that deleted rows give their space back.")
        with working_outside_transactions(engine) as driver:
            driver.execute("PRAGMA auto_vacuum = INCREMENTAL")
            driver.execute("VACUUM")
    except sqlite3.Error as error:
        report(f"The database was not rewritten ({error}); `cratewire migrate` tries it again.")
    finally:
        engine.dispose()


def can_give_back(engine: Engine) -> bool:
    """Whether deleted rows' space returns to the disk: not if this is a SQLite file that is not rewritten yet."""
    if engine.dialect.name != "sqlite":
        return True
    with working_outside_transactions(engine) as driver:
        return _read_number(driver, "auto_vacuum") == INCREMENTAL


def empty_log(engine: Engine) -> bool:
    """Write SQLite's log into the file and empty it: it may hold pages from before rows were deleted.

    False if a reader needs it now. Nothing to do on PostgreSQL.
    """
    if engine.dialect.name != "sqlite":
        return True
    with working_outside_transactions(engine) as driver:
        driver.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_TIMEOUT_MS}")
        is_busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1_000}")
    return not is_busy


def _rewrite_small_file(engine: Engine) -> bool:
    """Write every page of SQLite's file anew; returns whether that was done. It also gives all free space back."""
    if engine.url.database is None:
        return False
    size, free = _measure(Path(engine.url.database))
    if size > _MAX_REWRITTEN_BYTES or free < size * _COPIES:
        return False
    with working_outside_transactions(engine) as driver, suppress(sqlite3.OperationalError):
        driver.execute("VACUUM")
        return True
    return False


def _measure(path: Path) -> tuple[int, int]:
    """The bytes of the file, and those that are free beside it."""
    return path.stat().st_size, shutil.disk_usage(path.parent).free


def _vacuum_postgresql(engine: Engine) -> None:
    with working_outside_transactions(engine) as driver:
        driver.execute(f"VACUUM {', '.join(table.name for table in list_all_tables())}")


def _read_number(driver: Any, pragma: str) -> int:
    return int(driver.execute(f"PRAGMA {pragma}").fetchone()[0])
