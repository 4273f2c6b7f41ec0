"""Processes of the Procfile started without `cratewire run` say in one line what is missing, and end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.infra.embedded_valkey import find_free_port
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.revision import is_behind
from receiver.supervisor.procfile import PROCFILE, build_shell_command
from tests.servers.process import with_parent_death_signal

pytestmark = pytest.mark.slow


def started(name: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a process of the Procfile to its end."""
    ports = {"PORT": str(find_free_port()), "CRATEWIRE_FLOWER_PORT": str(find_free_port())}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        with_parent_death_signal(build_shell_command(PROCFILE[name])),
        env={**environment, **ports, "PATH": path, "PYTHONWARNINGS": "ignore"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,  # a loaded machine
        check=False,
    )


@pytest.mark.parametrize("name", sorted(PROCFILE))
def test_without_a_redis_url_it_says_so(installed, tmp_path, name):
    environment = {key: value for key, value in installed.environment.items() if key != "REDIS_URL"}
    done = started(name, environment, tmp_path)

    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error"))
    assert (done.returncode, line.startswith("Error: REDIS_URL is not set")) == (1, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["worker", "backfill"])
def test_before_the_migration_it_says_so(installed, tmp_path, name):
    (installed.data / "cratewire.db").unlink()
    done = started(name, dict(installed.environment), tmp_path)

    assert done.returncode == 1
    assert done.stderr.endswith("Error: the database is not at the newest revision: run `cratewire migrate` first\n")


@pytest.mark.parametrize("revision", ["0001", "r9999"])
def test_an_older_database_is_behind_and_a_newer_one_is_not(installed, revision):
    engine = make_engine(installed.process.settings.database_url)
    with writing(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})

    assert is_behind(engine) == (revision == "0001")
    engine.dispose()
