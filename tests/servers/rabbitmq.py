"""A real RabbitMQ from the system's package: one node with an own epmd, all of it on loopback and in a directory."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from amqp import Connection

from tests.servers.process import free_port, other_user, run_server, short_directory

START_TRIES = 3
_PLACES = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
# One scheduler that does not spin while it waits: the tests' machine is small.
_ERLANG = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


@dataclass(frozen=True)
class Node:
    """Where it is, and which process."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"


@contextmanager
def rabbitmq(port: int | None = None) -> Iterator[Node]:
    """Start a node that knows no queue yet, on `port` or a free one; again if another program took one of its ports."""
    with ExitStack() as stack:
        for tries_left in reversed(range(START_TRIES)):
            try:
                node = stack.enter_context(_node(port))
                break
            except RuntimeError:
                if not tries_left:
                    raise
        yield node


@contextmanager
def _node(port: int | None) -> Iterator[Node]:
    port, epmd_port, dist_port = port or free_port(), free_port(), free_port()
    user = other_user("rabbitmq")
    server = _server()
    with short_directory("rabbitmq", owner=user) as home:
        epmd = ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port), "-relaxed_command_check"]
        node = ["env", *_environment(home, port, epmd_port, dist_port), str(server)]
        with (
            run_server(epmd, lambda: _listens(epmd_port), log=home / "epmd.log", user=user),
            run_server(node, lambda: _answers(port), log=home / "log", user=user, stop=signal.SIGKILL) as process,
        ):
            yield Node(port, process.pid)


def _environment(home: Path, port: int, epmd_port: int, dist_port: int) -> list[str]:
    settings = {
        "HOME": home,  # of the cookie
        "RABBITMQ_NODENAME": f"cratewire{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_DIST_PORT": dist_port,
        "RABBITMQ_MNESIA_BASE": home / "mnesia",
        "RABBITMQ_LOG_BASE": home,
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": home / "none",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": home / "plugins",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the server, so that our signals reach it
        "ERL_EPMD_PORT": epmd_port,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    return [f"{name}={value}" for name, value in settings.items()]


def _server() -> Path:
    found = sorted(Path("/").glob(_PLACES.lstrip("/")))
    if not found:
        raise RuntimeError("RabbitMQ is not installed: run `make rabbitmq`")
    return found[-1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int) -> bool:
    """Whether it opens a connection for its user: the port is open before the node is ready for one."""
    try:
        with Connection(f"127.0.0.1:{port}", connect_timeout=5, read_timeout=5):
            return True
    except OSError:
        return False
