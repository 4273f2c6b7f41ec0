"""PgBouncer in transaction mode between everything of ours and PostgreSQL: sessions change hands all the time."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.chaos.databases import POSTGRES, wait_for_postgres
from bench.chaos.fault_run import ONLY_POSTGRESQL, Fault, FaultRun
from bench.chaos.installation import WORKERS
from bench.chaos.supervisor import SupervisedProcess

BINARY = Path("/usr/sbin/pgbouncer")
PGBOUNCER, PORT = "pgbouncer", 6432  # part of its socket's name only
SESSIONS = 4  # fewer than processes
_SETTINGS = """
[databases]
* = host={server}
[pgbouncer]
listen_addr =
unix_socket_dir = {directory}
listen_port = {port}
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {sessions}
logfile =
pidfile =
"""


def transaction_mode(scene: FaultRun) -> None:
    """All processes but web go through it, and it is killed now and then."""
    if not BINARY.exists():
        scene.skip("PgBouncer is not installed")
        return
    direct = scene.here.database_url
    pooled = _start(scene, direct)
    _restart(scene, pooled)
    for _ in range(scene.times(4, 2)):
        time.sleep(scene.seconds(10, 5))
        scene.here.keeper.kill(PGBOUNCER)
    time.sleep(scene.seconds(5, 3))
    scene.checks.append(lambda: _check(scene))


def _start(scene: FaultRun, direct: str) -> str:
    server, user = make_url(direct), POSTGRES if os.geteuid() == 0 else None  # it refuses to run as root
    directory = Path(tempfile.mkdtemp(prefix="cratewire-chaos-pgb-"))
    settings = directory / "pgbouncer.ini"
    (directory / "users").write_text(f'"{server.username}" ""\n')
    settings.write_text(
        _SETTINGS.format(server=server.query["host"], directory=directory, port=PORT, sessions=SESSIONS)
    )
    if user is not None:
        for path in (directory, settings, directory / "users"):
            shutil.chown(path, user)
    scene.here.keeper.keep(SupervisedProcess(PGBOUNCER, [str(BINARY), str(settings)], user=user))
    pooled = f"postgresql://{server.username}@/{server.database}?host={directory}&port={PORT}"
    wait_for_postgres(pooled)
    return pooled


def _restart(scene: FaultRun, url: str) -> None:
    scene.here.keeper.environment["DATABASE_URL"] = url
    for name in (*WORKERS, "beat"):
        scene.here.keeper.kill(name, 15)


def _check(scene: FaultRun) -> None:
    dead = dict(scene.here.dead_hooks())
    if dead:
        scene.add_failure(f"hooks died: {dead}")


FAULTS = (
    Fault("PgBouncer in transaction mode", transaction_mode, databases=ONLY_POSTGRESQL, needs_new_installation=True),
)
