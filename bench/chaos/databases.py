"""The database of a chaos run: a SQLite file, or a PostgreSQL of our own that can be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.chaos.supervisor import SupervisedProcess, Supervisor
from pipeline.settings import read_environment

START_TIMEOUT_S = 60
_SETTINGS = (
    "synchronous_commit=on",
    "max_connections=80",
    "listen_addresses=",
    "max_wal_size=64MB",  # its disk may be small
)
POSTGRES = "postgres"


def is_postgres_installed() -> bool:
    """Whether PostgreSQL's binaries are on this machine."""
    return bool(_places())


def find_postgres() -> Path:
    """The server's program."""
    return _places()[-1] / "postgres"


def make_short_directory() -> Path:
    """A socket's path may have no more than about a hundred characters."""
    return Path(tempfile.mkdtemp(prefix="cratewire-chaos-pg-"))


@contextmanager
def running_postgres(home: Path, *, syncs: bool = False) -> Iterator[tuple[str, int]]:
    """A server of our own inside the block; gives the URL of its empty database, and its process id."""
    with ExitStack() as stack:
        directory = make_short_directory()
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        keeper = Supervisor(home, read_environment(None))
        stack.callback(keeper.stop)
        url = start_postgres(keeper, directory, syncs=syncs)
        yield url, keeper[POSTGRES].pid or 0


def start_postgres(keeper: Supervisor, directory: Path, *, syncs: bool = False) -> str:
    """Create a cluster in the directory, keep its server running, and return its URL.

    A server that is only killed loses nothing without syncs; figures that concern its commits need them.
    """
    user = POSTGRES if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user is not None:
        shutil.chown(directory, user)
    data = directory / "data"
    initdb = [str(_places()[-1] / "initdb"), "-D", str(data), "-U", "cratewire", "--auth=trust", "--no-sync"]
    locale = ["--encoding=UTF8", "--locale=C"]
    subprocess.run([*initdb, *locale], check=True, capture_output=True, cwd="/", user=user, group=_group(user))
    settings = [
        part
        for setting in (*_SETTINGS, f"fsync={'on' if syncs else 'off'}", f"unix_socket_directories={directory}")
        for part in ("-c", setting)
    ]
    command = [str(find_postgres()), "-D", str(data), *settings]
    keeper.keep(SupervisedProcess(POSTGRES, command, user=user, stop_by=signal.SIGINT))
    url = f"postgresql://cratewire@/postgres?host={directory}"
    wait_for_postgres(url)
    return url


def wait_for_postgres(url: str) -> None:
    """Return when it answers."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _places() -> list[Path]:
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return sorted(found, key=lambda path: int(path.parts[-2]))


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid
