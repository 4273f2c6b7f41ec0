"""Takes the system calls of running processes with strace, and their files as they were when it began."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.power.trace import CALLS, FileCall, read_calls

ATTACH_TIMEOUT_S = 60.0
MAX_DATA_BYTES = 64_000_000  # of one call
IGNORED_SUFFIXES = ("-shm", ".pid", ".lock")  # SQLite makes its index of the log anew; nothing reads the others


@dataclass
class Recording:
    """The files below the roots at the beginning, and what was done to them until the end."""

    roots: tuple[Path, ...]
    snapshot: dict[str, bytes] = field(default_factory=dict)
    began: float = 0.0  # s since the epoch
    ended: float = 0.0
    trace: Path = Path()

    def read_calls(self) -> list[FileCall]:
        """Return the calls that changed files, or synced them."""
        with self.trace.open() as lines:
            return [call for call in read_calls(lines) if not call.path.endswith(IGNORED_SUFFIXES)]


def find_obstacle() -> str | None:
    """Return why no process can be traced on this machine; None if one can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True)  # noqa: S607
    return "ptrace is not allowed here" if probe.returncode else None


@contextmanager
def recording(processes: Iterable[int], roots: tuple[Path, ...], trace: Path) -> Iterator[Recording]:
    """Record while the block runs. The processes and their children stand still while their files are copied."""
    found, stopped = Recording(roots, trace=trace), _stop_all(list(processes))
    tracer = None
    try:
        for root in roots:
            for path in root.rglob("*"):
                if path.is_file() and not path.name.endswith(IGNORED_SUFFIXES):
                    found.snapshot[str(path)] = path.read_bytes()
        tracer = _attach(stopped, trace)
        found.began = time.time()
    finally:
        _continue_all(stopped)
    try:
        yield found
    finally:
        found.ended = time.time()
        tracer.send_signal(signal.SIGINT)
        tracer.wait(ATTACH_TIMEOUT_S)


def _attach(processes: Iterable[int], trace: Path) -> subprocess.Popen[bytes]:
    options = ["-f", "-ttt", "-T", "-y", "-xx", "-s", str(MAX_DATA_BYTES), "-e", "signal=none", "-o", str(trace)]
    targets = [part for process in processes for part in ("-p", str(process))]
    said = trace.with_suffix(".log")
    with said.open("wb") as output:
        calls = ["-e", f"trace={','.join(f'?{call}' for call in CALLS)}"]
        tracer = subprocess.Popen(["strace", *options, *calls, *targets], stderr=output)  # noqa: S607 the system's
    deadline = time.monotonic() + ATTACH_TIMEOUT_S
    while said.read_text().count(" attached") < len(targets) // 2:
        if tracer.poll() is not None or time.monotonic() > deadline:
            tracer.kill()
            raise RuntimeError(f"strace could not attach: {said.read_text()[-500:]}")
        time.sleep(0.05)
    return tracer


def _stop_all(processes: list[int]) -> list[int]:
    """Stop the processes and all that they have started, parents first, until there is no new one."""
    stopped: list[int] = []
    while left := [process for process in _with_children(processes) if process not in stopped]:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
            stopped.append(process)
        time.sleep(0.05)
    return [process for process in stopped if Path(f"/proc/{process}").exists()]


def _continue_all(processes: Iterable[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def _with_children(processes: Iterable[int]) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(processes)
    for process in found:
        found += parents.get(process, [])
    return found
