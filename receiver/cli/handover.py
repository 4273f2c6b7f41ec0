"""Hands a command that only shows something to `cratewire run`, which has imported everything: a fork takes
milliseconds, the imports most of a second.

The fork gets this process's files, environment, working directory and arguments, and reads the settings from them, so
that it does what this process would do. Where nothing listens, another user's process does, or its code is not this
one, the command runs here.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.infra.environment import read_environment

SOCKET_NAME = "commands.sock"  # in the data directory
ACCEPTED = b"A"  # the fork's first byte; anything else: run it yourself
TIMEOUT_S = 2.0  # for that first byte: `run` may be busy or stopped
HEAD = struct.Struct("!I")  # the length of the request
EXIT_CODE = struct.Struct("!i")  # the fork's last four bytes
_CREDENTIALS = struct.Struct("3i")  # process, user, group: the kernel's answer to SO_PEERCRED
_FORWARDED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOST_EXIT_CODE = 1
_HELP = frozenset({"-h", "--help"})

# command -> its subcommands that only show something, ask nothing and end by themselves; None: there are none
SHOWING: Mapping[str, frozenset[str] | None] = {
    "accounts": frozenset({"list", "log"}),
    "alarms": frozenset({"list"}),
    "backfill": frozenset({"status"}),
    "connections": frozenset({"list"}),
    "dead": frozenset({"list", "show"}),
    "doctor": None,
    "events": frozenset({"list", "show"}),
    "flow": frozenset({"show"}),
    "fulfilment": frozenset(
        {"batch", "batches", "dry-run", "exports", "forecast", "orders", "show", "status", "warehouses"}
    ),
    "people": frozenset({"show", "why"}),
    "reconcile": frozenset({"report"}),
    "replay": frozenset({"list", "show"}),
    "search": None,
    "statement": None,
    "status": None,
    "stores": frozenset({"list", "show"}),
}


def can_hand_over(arguments: Sequence[str], commands: Mapping[str, object]) -> bool:
    """Return whether the arguments are a command that only shows something, or ask for a command's help."""
    if not arguments or arguments[0] not in commands:
        return False
    if _HELP.intersection(arguments):
        return True
    name, *more = arguments
    subcommands = SHOWING.get(name, frozenset())
    return subcommands is None or (bool(more) and more[0] in subcommands)


def find_data_dir(arguments: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the data directory that this command would use."""
    for at, word in enumerate(arguments):
        if word == "--data" and at + 1 < len(arguments):
            return Path(arguments[at + 1]).expanduser()
        if word.startswith("--data="):
            return Path(word.removeprefix("--data=")).expanduser()
    return Path(environ.get("CRATEWIRE_DATA_DIR", "").strip() or "var").expanduser()


def describe_code() -> list[str]:
    """Say which code this process runs: an interpreter, with the files of an installation."""
    return [os.path.realpath(sys.executable), sys.version, str(Path(__file__).resolve())]


def get_peer_user(connection: socket.socket) -> int:
    """Return the user of the process at the other end of a Unix socket."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(found)[1])


@contextlib.contextmanager
def open_directory(folder: Path) -> Iterator[str]:
    """Yield a short path of a directory: the address of a Unix socket is at most 107 bytes long."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def run_in_fork(arguments: Sequence[str], program: str) -> int | None:
    """Have `cratewire run` run the command. Returns its exit code; None if it has to run here, and has not begun."""
    if None in (sys.stdin, sys.stdout, sys.stderr):  # closed by who started this, as a daemon's may be
        return None
    environ = read_environment(None)
    data_dir = find_data_dir(arguments, environ if "CRATEWIRE_DATA_DIR" in environ else read_environment())
    if sys.platform != "linux" or not (data_dir / SOCKET_NAME).is_socket():
        return None
    with contextlib.suppress(OSError), _connect(data_dir) as connection:
        if get_peer_user(connection) != os.geteuid():
            return None
        with _passing_signals_on(connection) as passed:
            _send_request(connection, arguments, program, environ)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED_SIGNALS)
            code = _wait(connection, passed) if connection.recv(1) == ACCEPTED else None
        if code is None and passed:
            signal.raise_signal(passed[-1])
        return code
    return None


@contextlib.contextmanager
def _passing_signals_on(connection: socket.socket) -> Iterator[list[int]]:
    """Send signals to the fork instead of ending, and yield those that came. First, they are blocked."""
    passed: list[int] = []

    def pass_on(signum: int, _frame: object) -> None:
        passed.append(signum)
        with contextlib.suppress(OSError):
            connection.send(bytes([signum]))

    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED_SIGNALS)
    wanted = [signum for signum in _FORWARDED_SIGNALS if signal.getsignal(signum) != signal.SIG_IGN]  # as nohup does
    before = {signum: signal.signal(signum, pass_on) for signum in wanted}
    try:
        yield passed
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED_SIGNALS)


@contextlib.contextmanager
def _connect(data_dir: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, open_directory(data_dir) as folder:
        connection.settimeout(TIMEOUT_S)
        connection.connect(f"{folder}/{SOCKET_NAME}")
        yield connection


def _send_request(
    connection: socket.socket, arguments: Sequence[str], program: str, environ: Mapping[str, str]
) -> None:
    request = {
        "arguments": list(arguments),
        "program": program,
        "environment": dict(environ),
        "code": describe_code(),
        "umask": _get_umask(),
        "encodings": [[stream.encoding, stream.errors] for stream in (sys.stdin, sys.stdout, sys.stderr)],
    }
    body = json.dumps(request).encode("ascii")
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files = array.array("i", [0, 1, 2, folder])
        connection.sendmsg([HEAD.pack(len(body))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
        connection.sendall(body)
    finally:
        os.close(folder)


def _get_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _wait(connection: socket.socket, passed: Sequence[int]) -> int | None:
    """Wait for the end of the fork. Returns its exit code; None if a signal that was passed on has ended it."""
    connection.settimeout(None)
    received = b""
    with contextlib.suppress(OSError):
        while part := connection.recv(EXIT_CODE.size):
            received += part
    if len(received) == EXIT_CODE.size:
        return int(EXIT_CODE.unpack(received)[0])
    if passed:
        return None
    sys.stderr.write("Error: the process of `cratewire run` that ran this command has ended\n")
    return _LOST_EXIT_CODE
