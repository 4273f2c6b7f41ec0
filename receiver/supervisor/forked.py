"""Runs a line of the Procfile in a fork of this process, which has imported its modules already.

It starts at once, and shares the memory of the modules with all the others. Linux only: elsewhere a fork without an
exec is not safe, and the processes are started as any service manager would start them.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from pipeline.infra.environment import replace_environment

CAN_FORK = sys.platform == "linux"
FIRST_FREE_FD = 3  # the number of an inherited file
MAX_FD = 1_048_576
INTERPRETERS = ("python", sys.executable)
# Added to the kernel's score by which it chooses what to kill for memory: a worker loses nothing, and this process and
# the Valkeys would take everything along.
OOM_SCORE = "500"


class ForkedProcess:
    """What `subprocess.Popen` is for a command that is executed."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], inherited: int | None = None
    ) -> None:
        """`inherited`: an open file that the command gets as number 3."""
        reader, writer = os.pipe()
        self.stdout: BinaryIO = os.fdopen(reader, "rb", buffering=0)
        self._process = get_context("fork").Process(
            target=_become, args=(name, command, environment, writer, inherited), name=name, daemon=False
        )
        try:
            self._process.start()
        finally:
            os.close(writer)
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; -9 after a SIGKILL, as Popen has it."""
        return self._process.exitcode

    def wait(self) -> int:
        """Wait for its end. Returns the exit code."""
        self._process.join()
        return self._process.exitcode or 0

    def send_signal(self, signum: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _become(
    name: str, command: Sequence[str], environment: Mapping[str, str], output: int, inherited: int | None
) -> None:
    """Drop everything of the supervisor but its modules, and run the command."""
    os.setsid()
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (1, 2):
        os.dup2(output, number)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    if inherited is not None:
        os.dup2(inherited, FIRST_FREE_FD)
    # Closes the lock of the data directory, the reaper's pipe, the output of the other children.
    os.closerange(FIRST_FREE_FD + (inherited is not None), MAX_FD)
    replace_environment(environment)
    _describe_to_the_kernel(name)
    run_command(command)


def _describe_to_the_kernel(name: str) -> None:
    """Set the name that `ps -o comm` and `top` show, and who is killed for memory first."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"cw {name}", encoding="ascii")
        if name != "web":
            Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")


def run_command(command: Sequence[str]) -> None:
    """Run `python -m module …`, whose function is called `main`, or `celery …` in this process."""
    program, *arguments = command
    if program in INTERPRETERS:
        _, module, *rest = arguments
        sys.argv = [module, *rest]
        importlib.import_module(module).main()
    else:
        from celery.__main__ import main  # noqa: PLC0415  web does without Celery's command line

        sys.argv = [program, *arguments]
        main()
