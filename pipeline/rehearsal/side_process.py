"""Starts a run of a rehearsal as a process, of this version of Cratewire or of another, and talks with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipeline.core.errors import Misconfigured
from pipeline.ledger.sql import json_type

_MODULE = "pipeline.rehearsal.side"
_PROTOCOL = 1
_END_TIMEOUT_S = 30
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*): ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Installed:
    """Where a version of Cratewire is: the Python that runs it, and the folder of its source if it is not installed."""

    python: Path
    source: Path | None = None


THIS_VERSION = Installed(Path(sys.executable))


def find_version(path: Path) -> Installed:
    """Return the version in a checkout or in a virtual environment. Raise Misconfigured if there is none."""
    source = path if (path / "pipeline" / "rehearsal").is_dir() else None
    for environment in (path, path / ".venv"):
        python = environment / "bin" / "python"
        if python.exists():
            return Installed(python, source)
    if source is not None:
        return Installed(THIS_VERSION.python, source)
    raise Misconfigured(
        f"{path}: no Cratewire there that can rehearse; name a checkout of it, or the virtual environment it is in"
    )


@dataclass(slots=True)
class SideProcess:
    """A started run. `version` and `release` are what it says of itself."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    version: str = ""
    release: str = ""
    _unread: int = field(default=0)

    def ask(self, line: Mapping[str, Any]) -> None:
        """Send a line; its answer is read later, so that two runs work at the same time."""
        try:
            self._requests.write(json_type.dumps(line).encode() + b"\n")
            self._requests.flush()
        except BrokenPipeError:
            raise self._explain() from None
        self._unread += 1

    def read(self) -> dict[str, Any]:
        """Return the next answer. Raise Misconfigured if the run has ended instead."""
        line = self._answers.readline()
        if not line:
            raise self._explain()
        self._unread -= 1
        answer: dict[str, Any] = json_type.loads(line)
        return answer

    def _explain(self) -> Misconfigured:
        """The error of a run that has ended, by the name of the exception: its message may hold personal data."""
        self.process.wait(_END_TIMEOUT_S)
        self.errors.seek(0)
        named = _EXCEPTION.findall(self.errors.read().decode("utf-8", "replace"))
        kind = named[-1] if named else f"status {self.process.returncode}"
        return Misconfigured(f"the run of version {self.version or 'unknown'} has ended: {kind}")

    @property
    def _requests(self) -> IO[bytes]:
        return _get(self.process.stdin)

    @property
    def _answers(self) -> IO[bytes]:
        return _get(self.process.stdout)


def _get(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process has no such pipe")
    return stream


@contextmanager
def start_side(installed: Installed, folder: Path) -> Iterator[SideProcess]:
    """Run a side until the block ends. Its files are in this folder, and it gets no setting and no key of ours."""
    command: Sequence[str] = [str(installed.python), "-m", _MODULE, str(folder)]
    # Of the source alone: an editable installation of another version would come first otherwise.
    environment = {"PATH": os.defpath, **({"PYTHONPATH": str(installed.source)} if installed.source else {})}
    with (
        tempfile.TemporaryFile(dir=folder) as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=installed.source or folder,
            env=environment,
        ) as process,
    ):
        side = SideProcess(process, errors)
        try:
            _greet(side)
            yield side
        finally:
            _end(process)


def _greet(side: SideProcess) -> None:
    hello = side.read()
    if hello.get("protocol") != _PROTOCOL:
        raise Misconfigured("that version rehearses in another way: use the rehearse command of the newer of the two")
    side.version, side.release = hello["version"], hello["release"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, at which it ends by itself."""
    _get(process.stdin).close()
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
