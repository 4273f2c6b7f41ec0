"""The database of a chaos run: a SQLite file, or a PostgreSQL of our own that can be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from bench.chaos.supervisor import SupervisedProcess, Supervisor

START_TIMEOUT_S = 60
# A killed server must not lose what it has committed; power failures are not tested.
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=on",
    "max_connections=80",
    "listen_addresses=",
    "max_wal_size=64MB",  # its disk may be small
)
POSTGRES = "postgres"


def is_postgres_installed() -> bool:
    """Whether PostgreSQL's binaries are on this machine."""
    return bool(_places())


def make_short_directory() -> Path:
    """A socket's path may have no more than about a hundred characters."""
    return Path(tempfile.mkdtemp(prefix="cratewire-chaos-pg-"))


def start_postgres(keeper: Supervisor, directory: Path) -> str:
    """Create a cluster in the directory, keep its server running, and return its URL."""
    user = POSTGRES if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user is not None:
        shutil.chown(directory, user)
    data = directory / "data"
    initdb = [str(_places()[-1] / "initdb"), "-D", str(data), "-U", "cratewire", "--auth=trust", "--no-sync"]
    locale = ["--encoding=UTF8", "--locale=C"]
    subprocess.run([*initdb, *locale], check=True, capture_output=True, cwd="/", user=user, group=_group(user))
    settings = [part for setting in (*_SETTINGS, f"unix_socket_directories={directory}") for part in ("-c", setting)]
    command = [str(_places()[-1] / "postgres"), "-D", str(data), *settings]
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
