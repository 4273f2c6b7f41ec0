"""A real PostgreSQL from the system's package, made afresh for a test run and thrown away after it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers.process import other_user, run_server, short_directory, with_parent_death_signal

# The tests ask whether our transactions are right, not whether PostgreSQL survives a power cut.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60", "listen_addresses=")


@contextmanager
def postgres(*more: str) -> Iterator[str]:
    """Start a server that listens on a socket in its own directory; gives the URL of an empty database.

    `more` are settings that win over ours.
    """
    binaries = _binaries()
    user = other_user("postgres")
    with short_directory("pg", owner=user) as directory:
        data = directory / "data"
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "cratewire", "--auth=trust", "--no-sync"]
        made = subprocess.run(
            with_parent_death_signal([*initdb, "--encoding=UTF8", "--locale=C"], user),
            check=False,
            capture_output=True,
            cwd="/",
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')[-2000:]}")
        settings = [
            part for setting in (*_FAST, f"unix_socket_directories={directory}", *more) for part in ("-c", setting)
        ]
        command = [str(binaries / "postgres"), "-D", str(data), *settings]
        place = f"postgresql://cratewire@/postgres?host={directory}"
        with run_server(command, lambda: _answers(place), log=directory / "log", user=user, stop=signal.SIGINT):
            yield place


def _binaries() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not places:
        raise RuntimeError("PostgreSQL is not installed: run `make postgres`")
    return places[-1].parent


def _answers(place: str) -> bool:
    try:
        psycopg.connect(place, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
