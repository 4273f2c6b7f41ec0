"""A real Celery worker of an installation, to be killed without warning."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import with_parent_death_signal

COMMAND = "-A tasks.app worker -P prefork -E --without-gossip --without-mingle -l WARNING"


class Worker:
    """The worker's processes, a group of their own."""

    def __init__(self, environment: Mapping[str, str], log: Path, name: str, *pool: str) -> None:
        self.name = f"{name}@test"
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                with_parent_death_signal([sys.executable, "-m", "celery", *COMMAND.split(), "-n", self.name, *pool]),
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """Ask it to end, as a service manager does; it may finish what it is at."""
        self._process.terminate()

    def kill(self) -> None:
        """End all of it at once, in the middle of whatever it does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def worker(
    environment: Mapping[str, str],
    log: Path,
    name: str = "worker",
    concurrency: int = 2,
    queues: str = "hooks,deliveries",
) -> Iterator[Worker]:
    """Start one; it is killed at the end of the block, if not before."""
    made = Worker(environment, log, name, "--concurrency", str(concurrency), "-Q", queues)
    try:
        yield made
    finally:
        made.kill()
