"""Keeps files to the user who runs Cratewire: hooks, keys and mails are personal data, whoever made the directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
_GROUP_AND_OTHERS_BITS = stat.S_IRWXG | stat.S_IRWXO
_DATABASE_FILE_NAME = "cratewire.db"
# What Cratewire itself makes in a data directory: nothing else there is looked at or changed.
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
    "spool",
    "mail",
)
_SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")


def set_private_umask() -> None:
    """Every file this process and its children make from now on is readable by their user only."""
    os.umask(UMASK)


def find_exposed_files(data_dir: Path, database_url: str) -> list[Path]:
    """Files and folders of this installation that another user of the machine may read or write."""
    return [path for path in _find_own_files(data_dir, database_url) if _is_exposed(path)]


def restrict_to_owner(paths: list[Path]) -> list[Path]:
    """Take the rights of others away. Returns those of which the rights could not be changed."""
    return [path for path in paths if not _restrict(path)]


def _find_own_files(data_dir: Path, database_url: str) -> Iterator[Path]:
    for database in (data_dir / _DATABASE_FILE_NAME, _sqlite_file(database_url)):
        if database is not None:
            yield from (database.with_name(database.name + end) for end in _SQLITE_FILE_SUFFIXES)
    for name in _OWN_FILE_NAMES:
        yield data_dir / name
        for folder, folders, files in os.walk(data_dir / name):  # follows no link to a folder
            yield from (Path(folder, one) for one in (*folders, *files))


def _sqlite_file(database_url: str) -> Path | None:
    """The file behind a database URL; None: it is not SQLite's, or the one in the data directory."""
    scheme, _, place = database_url.partition(":///")
    return Path(place) if scheme.startswith("sqlite") and place else None


def _is_exposed(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:  # it does not exist, or is out of our reach
        return False
    return not stat.S_ISLNK(mode) and bool(mode & _GROUP_AND_OTHERS_BITS)


def _restrict(path: Path) -> bool:
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_GROUP_AND_OTHERS_BITS)
    except FileNotFoundError:  # it is gone, as SQLite's log is when the last connection closes
        return True
    except OSError:
        return False
    return True
