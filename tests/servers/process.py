"""Start a server for the tests: on a free port, as an ordinary user, ended with the tests at the latest."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

START_TIMEOUT_S = 60  # a loaded machine; the wait ends as soon as the server is ready


def free_port() -> int:
    """A port on which nothing listens now."""
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
    """`name` if the tests run as root, which the server refuses; None if it can run as the present user."""
    return name if os.geteuid() == 0 else None


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    def describe() -> str:
        return f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}"

    assert wait_until(lambda: ready() or process.poll() is not None, describe, timeout_s=START_TIMEOUT_S)
    assert process.poll() is None, describe()
