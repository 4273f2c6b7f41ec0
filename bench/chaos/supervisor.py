"""Keep processes running as a service manager does: the group of a process that ends is killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]  # the checkout: children import this very code
RESTART_DELAY_S = 0.5  # seconds between an end and the next start
CHECK_INTERVAL_S = 0.05
STOP_TIMEOUT_S = 20.0


@dataclass
class SupervisedProcess:
    """A command to run. `wanted` is off while a fault keeps it down."""

    name: str
    command: Sequence[str]
    user: str | None = None
    stop_by: int = signal.SIGTERM
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    starts: int = 0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self.process
        return None if process is None or process.poll() is not None else process.pid


class Supervisor:
    """The children of an installation, their logs, and the thread that supervises them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.code = ROOT  # the checkout that children run; another one needs PYTHONPATH, too
        self._kept: dict[str, SupervisedProcess] = {}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        guard = [sys.executable, "-m", "receiver.supervisor.reaper"]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True, cwd=ROOT)
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def use_code(self, code: Path) -> None:
        """Start children with the code of this checkout from now on."""
        self.code = code
        self.environment |= {"PYTHONPATH": str(code)}

    def keep(self, kept: SupervisedProcess) -> SupervisedProcess:
        """Start the command and supervise it from now on."""
        with self._lock:
            self._kept[kept.name] = kept
            self._start(kept)
        return kept

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def __getitem__(self, name: str) -> SupervisedProcess:
        return self._kept[name]

    def kill(self, name: str, signum: int = signal.SIGKILL) -> None:
        """Send a signal to the process itself, not to what it has started."""
        pid = self._kept[name].pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)

    def down(self, name: str, signum: int = signal.SIGKILL) -> None:
        """End it and keep it down."""
        with self._lock:
            self._kept[name].wanted = False
        self.kill(name, signum)
        process = self._kept[name].process
        if process is not None:
            process.wait(STOP_TIMEOUT_S)

    def up(self, name: str) -> None:
        """Let it run again, at once."""
        with self._lock:
            kept = self._kept[name]
            kept.wanted, kept.start_at = True, 0.0

    def log(self, name: str) -> Path:
        """The file of its output."""
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        """End all processes: in the reverse order of their start, the database servers last."""
        self._ending.set()
        self._thread.join(STOP_TIMEOUT_S)
        for kept in reversed(self._kept.values()):
            self._end([kept])
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait(STOP_TIMEOUT_S)

    def _end(self, group: Iterable[SupervisedProcess]) -> None:
        for kept in group:
            if kept.process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(kept.process.pid, signal.SIGCONT)
            kept.process.send_signal(kept.stop_by)
            with contextlib.suppress(subprocess.TimeoutExpired):
                kept.process.wait(STOP_TIMEOUT_S)
            self._sweep(kept)

    def _run(self) -> None:
        while not self._ending.wait(CHECK_INTERVAL_S):
            with self._lock:
                for kept in self._kept.values():
                    self._look(kept)

    def _look(self, kept: SupervisedProcess) -> None:
        if kept.process is not None and kept.process.poll() is not None:
            self._sweep(kept)
            kept.start_at = time.monotonic() + RESTART_DELAY_S
        if kept.process is None and kept.wanted and time.monotonic() >= kept.start_at:
            self._start(kept)

    def _start(self, kept: SupervisedProcess) -> None:
        with self.log(kept.name).open("ab") as output:
            kept.process = subprocess.Popen(
                kept.command,
                cwd=self.code,
                env=self.environment,
                user=kept.user,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        kept.starts += 1
        self._notify_reaper(f"+{kept.process.pid}")

    def _sweep(self, kept: SupervisedProcess) -> None:
        """Whatever a killed process has left behind must not live beside its successor."""
        if kept.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kept.process.pid, signal.SIGKILL)
        kept.process.wait()
        self._notify_reaper(f"-{kept.process.pid}")
        kept.process = None

    def _notify_reaper(self, line: str) -> None:
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(f"{line}\n".encode())
                self._guard.stdin.flush()
