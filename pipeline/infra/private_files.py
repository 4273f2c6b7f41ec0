"""Restricts files to the user who runs Cratewire: hooks, keys and mails are personal data.

The data directory may have been created beforehand, with other rights.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
_GROUP_AND_OTHERS_BITS = stat.S_IRWXG | stat.S_IRWXO
_DATABASE_FILE_NAME = "cratewire.db"
# What Cratewire itself creates in a data directory. Nothing else there is checked or changed.
_OWN_FILE_NAMES = (
    "secret_key",
    "metrics_token",
    "flower_password",
    "port",
    "run.lock",
    "valkey.json",
    "broker.json",
    "valkey",
    "broker",
    "commands.sock",
    "spool",
    "mail",
    "rehearsals",
    "regulations.json",
)
_SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")


def set_private_umask() -> None:
    """Make every file that this process and its children create from now on readable by their user only."""
    os.umask(UMASK)


def find_exposed_files(data_dir: Path, database_url: str) -> list[Path]:
    """Return the files and folders of this installation that another user of the machine may read or write."""
    return [path for path in _find_own_files(data_dir, database_url) if _is_exposed(path)]


def restrict_to_owner(paths: list[Path]) -> list[Path]:
    """Remove the rights of other users. Returns the paths whose rights could not be changed."""
    return [path for path in paths if not _restrict(path)]


def _find_own_files(data_dir: Path, database_url: str) -> Iterator[Path]:
    for database in (data_dir / _DATABASE_FILE_NAME, _sqlite_file(database_url)):
        if database is not None:
            yield from (database.with_name(database.name + suffix) for suffix in _SQLITE_FILE_SUFFIXES)
    for name in _OWN_FILE_NAMES:
        yield data_dir / name
        for folder, folders, files in os.walk(data_dir / name):  # does not follow links to folders
            yield from (Path(folder, child) for child in (*folders, *files))


def _sqlite_file(database_url: str) -> Path | None:
    """Return the file of a database URL; None if it is not SQLite's, or the default one in the data directory."""
    scheme, _, path = database_url.partition(":///")
    return Path(path) if scheme.startswith("sqlite") and path else None


def _is_exposed(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:  # it does not exist, or we may not see it
        return False
    return not stat.S_ISLNK(mode) and bool(mode & _GROUP_AND_OTHERS_BITS)


def _restrict(path: Path) -> bool:
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_GROUP_AND_OTHERS_BITS)
    except FileNotFoundError:  # deleted meanwhile, as SQLite's log is when the last connection closes
        return True
    except OSError:
        return False
    return True
