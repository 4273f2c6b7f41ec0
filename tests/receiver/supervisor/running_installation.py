"""A real `cratewire run` for the tests: on free ports, with output that can be waited for."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.infra.embedded_valkey import find_free_port
from pipeline.settings import read_environment
from tests.waiting import wait_until

TIMEOUT_S = 120.0


class RunningInstallation:
    """The process, its output so far, and its URLs."""

    def __init__(self, data: Path, port: int, flower_port: int, settings: Mapping[str, str]) -> None:
        self.data, self.port, self.flower_port = data, port, flower_port
        ours = {
            "CRATEWIRE_FLOWER_PORT": str(flower_port),
            "CRATEWIRE_WORKERS": "1",
            "CRATEWIRE_CONNECT_ANYWHERE": "true",
            **settings,
        }
        inherited = {
            k: v for k, v in read_environment(None).items() if not k.startswith(("CRATEWIRE_", "REDIS_", "DATABASE_"))
        }
        self.environment = inherited | ours | {"CRATEWIRE_DATA_DIR": str(data), "PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "receiver.cli", "run", "--port", str(port), "--data", str(data)],
            env=inherited | ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=0o022,  # as most systems have it
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def until(self, done: Callable[[], object]) -> object:
        return wait_until(done, lambda: self.said, interval_s=0.1)

    def until_said(self, pattern: str, times: int = 1) -> None:
        self.until(lambda: len(re.findall(pattern, self.said)) >= times)

    def ended(self, signum: int | None = None) -> int:
        if signum is not None:
            self.process.send_signal(signum)
        code = self.process.wait(timeout=TIMEOUT_S)
        self._reader.join(timeout=TIMEOUT_S)
        return code


def processes_of(data: Path) -> dict[int, str]:
    """The command lines of all running processes of this data directory and their short names, by process id."""
    numbers = (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return {pid: command for pid in numbers if (command := _command_if_of(pid, data))}


def _command_if_of(pid: int, data: Path) -> str | None:
    """A process is recognized by its arguments, its environment or, for Valkey, its working directory."""
    folder = Path("/proc") / str(pid)
    try:
        arguments = (folder / "cmdline").read_bytes()
        words = arguments + (folder / "environ").read_bytes() + bytes((folder / "cwd").readlink())
        name = (folder / "comm").read_text().strip()  # of a fork, which has the command line of `run`
    except OSError:  # it has ended meanwhile, or is not ours
        return None
    return f"{arguments.replace(bytes(1), b' ').decode()} {name}" if bytes(data) in words else None


@contextmanager
def run_installation(
    data: Path, port: int | None = None, flower_port: int | None = None, **settings: str
) -> Iterator[RunningInstallation]:
    """`settings`: variables of its environment."""
    run = RunningInstallation(data, port or find_free_port(), flower_port or find_free_port(), settings)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.ended(signal.SIGTERM)
