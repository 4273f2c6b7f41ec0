"""The Valkey beside us, with a real one."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from pipeline.core.errors import Misconfigured, Unreachable
from pipeline.infra.embedded_valkey import (
    BROKER,
    EmbeddedValkey,
    build_command,
    is_up,
    load_embedded_valkey,
    with_free_port,
)
from tests.waiting import wait_until


@contextmanager
def started(server: EmbeddedValkey, maxmemory: str | None = None) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(build_command(server, maxmemory), stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_up(server) or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def listening() -> Iterator[int]:
    """A stranger on a port, who never answers."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def config(server: EmbeddedValkey) -> dict[str, str]:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return client.config_get("*")


def test_acknowledged_writes_survive_a_kill(tmp_path):
    server = load_embedded_valkey(tmp_path)
    with started(server) as process, redis.Redis.from_url(server.url) as client:
        client.set("hook", "kept")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

    with started(server), redis.Redis.from_url(server.url) as client:
        assert client.get("hook") == b"kept"


def test_it_runs_with_the_flags_of_our_guarantees(tmp_path):
    server = load_embedded_valkey(tmp_path)

    with started(server, "32mb"):
        flags = config(server)

    assert {
        name: flags[name] for name in ("appendonly", "appendfsync", "save", "maxmemory-policy", "bind", "maxmemory")
    } == {
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
        "maxmemory": str(32 * 1024 * 1024),
    }


def test_a_broker_writes_nothing_to_disk_and_evicts_nothing(tmp_path):
    server = load_embedded_valkey(tmp_path, BROKER)

    with started(server):
        flags = config(server)

    assert {name: flags[name] for name in ("appendonly", "save", "maxmemory-policy", "bind")} == {
        "appendonly": "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
    }


def test_both_servers_run_beside_each_other_and_share_nothing(tmp_path):
    keeper, broker = load_embedded_valkey(tmp_path), load_embedded_valkey(tmp_path, BROKER)

    with started(keeper), started(broker), redis.Redis.from_url(keeper.url) as client:
        client.set("hook", "kept")
        assert keeper.password != broker.password
        with redis.Redis.from_url(broker.url) as other:
            assert other.keys() == []


def test_without_the_password_no_client_is_admitted(tmp_path):
    server = load_embedded_valkey(tmp_path)

    with started(server), redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_is_no_argument_and_its_file_is_private(tmp_path):
    server = load_embedded_valkey(tmp_path)

    arguments = build_command(server)

    assert server.password not in " ".join(arguments)
    assert stat.S_IMODE((server.directory / "valkey.conf").stat().st_mode) == 0o600


def test_the_repr_shows_no_password(tmp_path):
    server = load_embedded_valkey(tmp_path)

    assert server.password not in repr(server)


def test_a_data_directory_with_a_space_is_served_too(tmp_path):
    server = load_embedded_valkey(tmp_path / "my data")

    with started(server):
        assert config(server)["dir"] == str(tmp_path / "my data" / "valkey")


def test_a_free_port_is_kept(tmp_path):
    server = load_embedded_valkey(tmp_path)

    assert with_free_port(server) == server


def test_a_port_that_another_program_uses_is_replaced_for_all_commands(tmp_path):
    with listening() as port:
        moved = with_free_port(EmbeddedValkey(tmp_path, port, "password"))

    assert moved.port != port
    assert load_embedded_valkey(tmp_path) == moved


def test_a_second_server_on_one_directory_is_refused(tmp_path):
    server = load_embedded_valkey(tmp_path)

    with started(server), pytest.raises(Misconfigured, match="earlier run"):
        with_free_port(server)


def test_a_server_with_another_password_is_not_ours(tmp_path):
    server = load_embedded_valkey(tmp_path)

    with started(server), pytest.raises(Unreachable, match="not our Valkey"):
        is_up(EmbeddedValkey(tmp_path, server.port, "another"))


def test_a_damaged_address_is_reported(tmp_path):
    (tmp_path / "valkey.json").write_text("{}")

    with pytest.raises(Misconfigured, match=r"valkey\.json"):
        load_embedded_valkey(tmp_path)
