"""A real `cratewire run`: it becomes ready, restarts its processes, and leaves none behind."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from sqlalchemy import make_url

from pipeline.infra.crypto import hook_tokens
from pipeline.infra.embedded_valkey import BROKER, INBOX_SERVER, is_up, load_embedded_valkey
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.queries import DeadDeliveryDetail, DeadHookDetail, get_dead_letter, list_dead_letters
from receiver.alive import CHECKS
from tests.receiver.supervisor.running_installation import RunningInstallation, processes_of, run_installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[RunningInstallation]:
    """One run for all tests of this file that leave it running, in a directory that others could read before."""
    data = tmp_path_factory.mktemp("run") / "data"
    data.mkdir(mode=0o755)
    (data / "metrics_token").write_text("a-token-that-is-long-enough")
    (data / "metrics_token").chmod(0o644)
    with run_installation(data) as run:
        run.until_said(r"Ready: ")
        yield run


@dataclass(frozen=True)
class EndedRun:
    """What was seen of a run on PostgreSQL that was ended with a SIGTERM."""

    hooks_status_before: int  # of /readyz/hooks, while the database was away
    data_mode: int
    code: int
    left: dict[int, str]  # its processes afterwards


@pytest.fixture(scope="module")
def ended(tmp_path_factory, postgres_url) -> EndedRun:
    """The server's socket appears late; SIGTERM comes once everything is ready."""
    folder = tmp_path_factory.mktemp("ended")
    url = make_url(postgres_url)
    place = url.update_query_dict({"host": str(folder / "socket")}).set(database="late").render_as_string()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute("CREATE DATABASE late")
    with run_installation(folder / "data", DATABASE_URL=place) as run:
        run.until_said(r"migrate .*the database cannot be migrated yet \(OperationalError\)")
        run.until(lambda: answers(run.port))
        before = status(run.port, "/readyz/hooks")
        (folder / "socket").symlink_to(url.query["host"])
        run.until_said("Ready: ")
        mode = stat.S_IMODE(run.data.stat().st_mode)
        code = run.ended(signal.SIGTERM)
    return EndedRun(before, mode, code, processes_of(run.data))


def pid_of(run: RunningInstallation, part: str) -> int:
    """The oldest process with this text in its command line: the child itself, not its children."""
    return min(find_starts(run, part))[1]


def find_starts(run: RunningInstallation, part: str) -> list[tuple[int, int]]:
    """(start in clock ticks, id) of the processes with this text in their command line. Ids grow only for a while."""
    found = []
    for pid, command in processes_of(run.data).items():
        with suppress(OSError):  # it has just ended
            shown = Path(f"/proc/{pid}/stat").read_text() if part in command else ""
            found += [(int(shown.rpartition(")")[2].split()[19]), pid)] if shown else []
    return found


def valkeys(run: RunningInstallation) -> dict[str, str]:
    """The part of each Valkey's command line that differs: the port."""
    return {
        name: f"valkey-server 127.0.0.1:{load_embedded_valkey(run.data, name).port}" for name in (INBOX_SERVER, BROKER)
    }


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_readiness_line_says_where_everything_is(run):
    assert (
        f"Ready: web http://127.0.0.1:{run.port}, flower http://127.0.0.1:{run.flower_port} "
        f"(user cratewire, password in {run.data}/flower_password), data {run.data}"
    ) in run.said


def test_the_readiness_line_is_followed_by_what_to_open(run):
    run.until_said("open http://")

    assert re.search(rf"(?m)open http://127\.0\.0\.1:{run.port}/$", run.said)


def test_web_the_worker_and_both_valkeys_run(run):
    wanted = ("cw web", "cw worker", *valkeys(run).values())

    assert run.until(lambda: all(part in " ".join(processes_of(run.data).values()) for part in wanted))


def test_backfill_starts_when_a_message_waits_for_it(run):
    """The worker of backfills does not know this message, and keeps it for a version that does."""
    with Redis.from_url(load_embedded_valkey(run.data, BROKER).url) as broker:
        message = {
            "body": "",
            "headers": {"task": "unknown", "id": "1"},
            "properties": {
                "delivery_info": {"exchange": "backfill", "routing_key": "backfill"},
                "delivery_tag": "1",
            },
            "content-type": "text/plain",
        }
        broker.lpush("cratewire:celery:backfill", json.dumps(message))

        run.until(lambda: not broker.llen("cratewire:celery:backfill"))

    assert "cw backfill" in " ".join(processes_of(run.data).values())


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"backfill"}))
def test_every_process_is_alive_by_its_own_check(run, name):
    command = [sys.executable, "-m", "receiver.alive", name]

    assert run.until(lambda: subprocess.run(command, env=run.environment, check=False).returncode == 0)


def test_a_command_that_shows_something_imports_nothing_for_it(run):
    command = [sys.executable, "-X", "importtime", "-m", "receiver.cli", "stores", "list", "--json"]

    done = subprocess.run(command, env=run.environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert "receiver.cli.handover" in done.stderr
    assert "sqlalchemy" not in done.stderr


def test_web_is_ready_when_it_says_so(run):
    assert status(run.port, "/readyz") == 200


def test_a_chunked_hook_that_breaks_off_is_among_the_dead_with_its_bytes(run):
    """Granian ends such a body like a complete one: it cannot be rejected, and must not be lost."""
    token = hook_tokens.sign([(run.data / "secret_key").read_text().strip()], "acme", 1)
    head = f"POST /hooks/acme/{token}/order_new HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", run.port), timeout=20) as connection:
        connection.sendall(head.encode() + b'c\r\n{"id": 12345')

    run.until(lambda: dead(run))
    (found,) = dead(run)
    assert (found.listed.store, found.listed.name, found.listed.reason) == ("acme", "order_new", "not_json")
    assert found.raw == b'{"id": 12345'


def dead(run: RunningInstallation) -> list[DeadHookDetail | DeadDeliveryDetail | None]:
    engine = make_engine(f"sqlite:///{run.data}/cratewire.db")
    with reading(engine) as conn:
        found = [get_dead_letter(conn, one.kind, one.id) for one in list_dead_letters(conn)]
    engine.dispose()
    return found


def test_flower_starts_when_its_address_is_opened_and_requires_the_password(run):
    run.until(lambda: answers(run.flower_port))

    assert status(run.flower_port, "/") == 401
    assert "cw flower" in " ".join(processes_of(run.data).values())


def test_the_data_directory_is_private(ended):
    assert ended.data_mode == 0o700


def test_nothing_in_a_directory_that_was_made_beforehand_is_for_other_users(run):
    assert [path for path in run.data.rglob("*") if is_open_to_others(path)] == []
    assert "1 files were readable by other users of this machine and are no longer" in run.said


def is_open_to_others(path: Path) -> bool:
    with suppress(FileNotFoundError):  # SQLite's journals come and go
        return path.lstat().st_mode & 0o077 != 0
    return False


def test_a_second_run_on_the_same_data_directory_is_refused(run):
    with run_installation(run.data) as second:
        assert second.ended() == 1

    assert f"Error: data directory {run.data} is in use by another `cratewire run`" in second.said


@pytest.mark.parametrize("name", ["cw worker", "cw web", INBOX_SERVER, BROKER])
def test_a_killed_child_is_started_again_and_it_is_said(run, name):
    part = valkeys(run).get(name, name)
    before = len(re.findall("starting it again", run.said))
    old = set(processes_of(run.data))

    os.kill(pid_of(run, part), signal.SIGKILL)

    run.until_said("ended with code -9; starting it again in", before + 1)
    assert run.until(lambda: any(part in command for pid, command in processes_of(run.data).items() if pid not in old))


def test_a_termination_stops_everything_cleanly(ended):
    assert (ended.code, ended.left) == (0, {})


def test_an_interrupt_in_the_middle_of_the_start_stops_everything_cleanly(tmp_path):
    with run_installation(tmp_path / "data") as run:
        run.until(lambda: valkey_answers(run))
        assert run.ended(signal.SIGINT) == 0

    assert processes_of(run.data) == {}


def test_nothing_outlives_a_run_that_was_killed_and_it_can_be_started_again(tmp_path):
    with run_installation(tmp_path / "data") as first:
        first.until(lambda: sum("cw worker" in command for command in processes_of(first.data).values()) > 1)
        first.ended(signal.SIGKILL)
        first.until(lambda: processes_of(first.data) == {})

    with run_installation(first.data) as second:
        assert second.until(lambda: valkey_answers(second))


def test_web_keeps_hooks_while_the_database_is_away_and_the_rest_begins_when_it_is_there(ended):
    assert ended.hooks_status_before == 200


def test_a_database_of_a_newer_version_ends_it_in_a_sentence(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    migrate(f"sqlite:///{tmp_path}/data/cratewire.db")
    engine = make_engine(f"sqlite:///{tmp_path}/data/cratewire.db")
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    engine.dispose()
    with run_installation(tmp_path / "data") as run:
        assert run.ended() == 1

    assert "Error: the database was migrated by a newer version of Cratewire" in run.said
    assert processes_of(run.data) == {}


@pytest.mark.parametrize("whose", ["web", "flower"])
def test_a_taken_port_is_said_and_nothing_is_left(tmp_path, whose):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        ports = {"port": taken} if whose == "web" else {"flower_port": taken}

        with run_installation(tmp_path / "data", **ports) as run:
            assert run.ended() == 1

    assert run.said.startswith(f"Error: {whose}'s port {taken} is taken")
    assert processes_of(run.data) == {}


def valkey_answers(run: RunningInstallation) -> bool:
    return (run.data / "valkey.json").exists() and is_up(load_embedded_valkey(run.data))


def answers(port: int) -> bool:
    try:
        status(port, "/")
    except OSError:
        return False
    return True
