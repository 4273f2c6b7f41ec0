"""One child process: started in a group of its own, its output read without waiting, ended with all it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

READ_BYTES = 65_536


@dataclass
class Child:
    """A command that runs or is about to. `ends` counts how often in a row it ended by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    exits_in_a_row: int = 0
    started_at: float = 0.0
    start_at: float = 0.0  # when to start it (again)
    once: Callable[[], None] | None = None  # called when it ends well, instead of starting it again
    fatal_exit_code: int | None = None  # with which it says that starting it again is of no use
    process: subprocess.Popen[bytes] | None = None
    silent: bool = False  # it has closed its output
    _rest: bytes = field(default=b"", repr=False)

    def start(self, now: float) -> int:
        """Start it; its process id is its group's id too."""
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.set_blocking(self.output, False)
        self.started_at = now
        return self.process.pid

    @property
    def output(self) -> int:
        """The file descriptor to watch."""
        if self.process is None or self.process.stdout is None:
            raise ValueError(f"{self.name} is not running")
        return self.process.stdout.fileno()

    def lines(self) -> list[str]:
        """Whole lines it has written since the last call."""
        try:
            data = os.read(self.output, READ_BYTES)
        except BlockingIOError:
            return []
        self.silent = not data
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def ended(self) -> bool:
        """Whether the process itself has ended; what it started may still be there until `sweep`."""
        return self.process is not None and self.process.poll() is not None

    def terminate(self) -> None:
        """Ask the process itself to stop: a worker then finishes what it does and stops its own pool."""
        if self.process is not None and not self.ended():
            self.process.terminate()

    def sweep(self) -> int:
        """Kill whatever is left of the group and take the process off the system's list."""
        if self.process is None:
            raise ValueError(f"{self.name} is not running")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process, self.silent, self._rest = None, False, b""
        return code
