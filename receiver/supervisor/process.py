"""One child process: starts it in its own process group, reads its output without blocking, ends its whole group."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from receiver.supervisor.forked import ForkedProcess

READ_BYTES = 65_536


@dataclass
class Child:
    """A command that runs or will be started. `exits_in_a_row` counts exits that the supervisor did not ask for."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    exits_in_a_row: int = 0
    started_at: float = 0.0
    next_start_at: float = 0.0  # on the clock of `started_at`
    on_success: Callable[[], None] | None = None  # called after exit code 0, instead of a restart
    fatal_exit_code: int | None = None  # the exit code after which it must not be restarted
    is_forked: bool = False  # the command runs in a fork of this process, which has imported its modules
    listener: socket.socket | None = None  # of a fork that is started when someone connects
    waker: socket.socket | None = None  # what is written to its other end starts this child, which may end by itself
    wakes: socket.socket | None = None  # that other end, which this fork inherits
    process: subprocess.Popen[bytes] | ForkedProcess | None = None
    is_output_closed: bool = False  # it has closed stdout
    _partial_line: bytes = field(default=b"", repr=False)

    def start(self, now: float) -> int:
        """Start it. Returns the process id, which is also the group id."""
        self.process = self._fork() if self.is_forked else self._execute()
        os.set_blocking(self.output_fd, False)
        self.started_at = now
        return self.process.pid

    def _fork(self) -> ForkedProcess:
        given = self.listener or self.wakes
        return ForkedProcess(self.name, self.command, self.environment, given.fileno() if given else None)

    def _execute(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output_fd(self) -> int:
        """The file descriptor of its output."""
        if self.process is None or self.process.stdout is None:
            raise ValueError(f"{self.name} is not running")
        return self.process.stdout.fileno()

    def read_lines(self) -> list[str]:
        """Return the complete lines that it has written since the last call."""
        try:
            data = os.read(self.output_fd, READ_BYTES)
        except BlockingIOError:
            return []
        self.is_output_closed = not data
        *whole, self._partial_line = (self._partial_line + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def has_ended(self) -> bool:
        """Return whether the process has ended; children of it may still run until `kill_group`."""
        return self.process is not None and self.process.poll() is not None

    def terminate(self) -> None:
        """Send SIGTERM to the process only: a worker then finishes its tasks and stops its own pool."""
        if self.process is not None and not self.has_ended():
            self.process.terminate()

    def kill_group(self) -> int:
        """Kill the rest of the group and reap the process. Returns its exit code."""
        if self.process is None:
            raise ValueError(f"{self.name} is not running")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()  # a fork that has not made its group yet
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process, self.is_output_closed, self._partial_line = None, False, b""
        return code
