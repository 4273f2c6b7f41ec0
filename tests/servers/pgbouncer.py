"""A real PgBouncer from the system's package before a PostgreSQL, on a socket in a directory of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.servers.process import other_user, run_server, short_directory

BINARY = Path("/usr/sbin/pgbouncer")
PORT = 6432  # part of the socket's name only

_SETTINGS = """
[databases]
* = host={server}
[pgbouncer]
listen_addr =
unix_socket_dir = {directory}
listen_port = {port}
auth_type = trust
auth_file = {directory}/users
pool_mode = {mode}
default_pool_size = {connections}
logfile =
pidfile =
"""


@contextmanager
def pgbouncer(place: str, mode: str = "transaction", connections: int = 3) -> Iterator[str]:
    """Start one before the PostgreSQL whose socket this URL names; gives the URL of the same database through it."""
    if not BINARY.exists():
        raise RuntimeError("PgBouncer is not installed: run `make pgbouncer`")
    server, user = make_url(place), other_user("postgres")  # PgBouncer refuses to run as root
    with short_directory("pgb", owner=user) as directory:
        settings = directory / "pgbouncer.ini"
        (directory / "users").write_text(f'"{server.username}" ""\n')
        settings.write_text(
            _SETTINGS.format(
                server=server.query["host"], directory=directory, port=PORT, mode=mode, connections=connections
            )
        )
        for path in (settings, directory / "users"):
            path.chmod(0o644)  # it is another user that reads them, whatever this process may create
        through = f"postgresql://{server.username}@/{server.database}?host={directory}&port={PORT}"
        command = [str(BINARY), str(settings)]
        with run_server(command, lambda: _answers(through), log=directory / "log", user=user, stop=signal.SIGINT):
            yield through


def _answers(place: str) -> bool:
    try:
        psycopg.connect(place, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
