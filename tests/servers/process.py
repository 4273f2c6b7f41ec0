"""Starts a server for the tests: in a free place, as an ordinary user, and never outliving them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 60  # a loaded machine; nobody waits longer than the server takes


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def short_directory(prefix: str, owner: str | None = None) -> Iterator[Path]:
    """A directory with a short name, since a socket's path may have no more than about a hundred characters."""
    path = Path(tempfile.mkdtemp(prefix=f"cratewire-{prefix}-"))
    if owner is not None:
        shutil.chown(path, owner)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def run_server(
    command: Sequence[str], ready: Callable[[], bool], *, log: Path, user: str | None = None, stop: int = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends. `stop` is the signal that ends it cleanly."""
    with log.open("wb") as output:
        process = subprocess.Popen(with_parent_death_signal(command, user), stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, ready, log)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def with_parent_death_signal(command: Sequence[str], user: str | None = None) -> list[str]:
    """Let the kernel end the server if the tests are killed; run it as `user` if that is not who we are."""
    prefix = ["setpriv", "--pdeathsig", "KILL"]
    if user is not None:
        group = str(pwd.getpwnam(user).pw_gid)
        prefix += ["--reuid", user, "--regid", group, "--clear-groups"]
    if shutil.which("setpriv") is None and user is None:
        return list(command)
    return [*prefix, *command]


def other_user(name: str) -> str | None:
    """`name` if we are root and must become somebody else; None if we may stay who we are."""
    return name if os.geteuid() == 0 else None


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)
