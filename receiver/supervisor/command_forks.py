"""Runs commands that only show something in forks of `cratewire run`, for the user whom it runs as.

The socket is in the data directory, and only that user may open it. A fork does nothing that the user's own process
could not: it has the same user, and gets files, environment, arguments and working directory from it.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from pipeline.infra.environment import replace_environment
from receiver.cli.handover import (
    ACCEPTED,
    EXIT_CODE,
    HEAD,
    SOCKET_NAME,
    describe_code,
    get_peer_user,
    open_directory,
)

MAX_AT_ONCE = 4  # each takes some megabytes; the next one runs by itself
REQUEST_TIMEOUT_S = 5.0
MAX_REQUEST_BYTES = 4_000_000  # a process's environment is at most 2 MB
_STDERR_FD, _CONNECTION_FD, _FIRST_OTHER_FD, _MAX_FD = 2, 3, 4, 1_048_576
_FREE_FDS = 10  # and above: none of those
_FILES = 4  # standard input, output and error, and the working directory
_LAST_SIGNAL = 64
_UNHANDLED_EXIT_CODE = 1

Stamp = tuple[int, int]  # when a file was changed, in ns, and its bytes
RunCommand = Callable[[Sequence[str], str], object]  # arguments, the name of the program


class CommandForks:
    """Listens for commands, and forks this process for each. The socket is of this process alone."""

    def __init__(self, data_dir: Path, run_command: RunCommand, notify_reaper: Callable[[str], None]) -> None:
        """Raises OSError if the data directory's file system has no sockets. `data_dir` must be locked."""
        self._run_command = run_command
        self._notify_reaper = notify_reaper
        self._stamps = stamp_modules()
        self._running: set[int] = set()
        self._path = data_dir / SOCKET_NAME
        self._path.unlink(missing_ok=True)
        self.listener = _listen(data_dir)

    def handle_connection(self) -> None:
        """Fork for the connection that waits, unless it is another user's or there are too many."""
        with contextlib.suppress(OSError), self.listener.accept()[0] as connection:
            if get_peer_user(connection) == os.geteuid() and len(self._running) < MAX_AT_ONCE:
                self._fork(connection)

    def reap(self) -> None:
        """Forget the forks that have ended."""
        for pid in list(self._running):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._running.remove(pid)
                self._notify_reaper(f"-{pid}")

    def close(self) -> None:
        """Take no more commands, and end those that run."""
        self.listener.close()
        self._path.unlink(missing_ok=True)
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._notify_reaper(f"-{pid}")
        self._running.clear()

    def _fork(self, connection: socket.socket) -> None:
        pid = os.fork()
        if pid == 0:
            _run_and_exit(connection, self._stamps, self._run_command)
        self._running.add(pid)
        self._notify_reaper(f"+{pid}")


def stamp_modules() -> dict[str, Stamp]:
    """Return the files of all modules that are imported, with their stamps: a later change means other code."""
    files = {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
    return {path: stamp for path in files if (stamp := _stamp(path))}


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116 two thousand before a command begins
    except OSError:  # in an archive
        return None
    return found.st_mtime_ns, found.st_size


def _listen(data_dir: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)
    try:
        with open_directory(data_dir) as folder:
            listener.bind(f"{folder}/{SOCKET_NAME}")
        listener.listen()
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(umask)
    return listener


def _run_and_exit(connection: socket.socket, stamps: Mapping[str, Stamp], run_command: RunCommand) -> NoReturn:
    """Become the command that the connection asks for, in the fork."""
    code = _UNHANDLED_EXIT_CODE
    try:
        os.setsid()
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        connection.settimeout(REQUEST_TIMEOUT_S)
        request, files = _receive(connection)
        if request["code"] == describe_code() and all(_stamp(path) == stamp for path, stamp in stamps.items()):
            connection = _take_over(connection, request, files)
            code = _run(connection, request, run_command)
            connection.sendall(EXIT_CODE.pack(code))
    except (OSError, ValueError, KeyError):  # the other end has gone: nothing waits for an answer
        pass
    finally:
        os._exit(code)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], Sequence[int]]:
    files = array.array("i")
    head, ancillary, _, _ = connection.recvmsg(HEAD.size, socket.CMSG_SPACE(_FILES * files.itemsize))
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(data[: len(data) - len(data) % files.itemsize])
    length = HEAD.unpack(head)[0] if len(head) == HEAD.size else MAX_REQUEST_BYTES + 1
    if len(files) != _FILES or length > MAX_REQUEST_BYTES:
        raise ValueError("not a request")
    body = bytearray()
    while len(body) < length:
        part = connection.recv(length - len(body))
        if not part:
            raise ValueError("the request breaks off")
        body += part
    request: dict[str, Any] = json.loads(body)
    return request, files


def _take_over(connection: socket.socket, request: Mapping[str, Any], files: Sequence[int]) -> socket.socket:
    """Make everything that belongs to a process that of the caller's. Returns the connection, under another number."""
    moved = [fcntl.fcntl(number, fcntl.F_DUPFD, _FREE_FDS) for number in (*files, connection.fileno())]
    *streams, folder, caller = moved
    os.fchdir(folder)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.dup2(caller, _CONNECTION_FD)
    connection.detach()
    os.closerange(_FIRST_OTHER_FD, _MAX_FD)  # the lock of the data directory, the reaper's pipe, all outputs
    os.umask(request["umask"])
    replace_environment(request["environment"])
    sys.argv = [request["program"], *request["arguments"]]
    sys.stdin, sys.stdout, sys.stderr = (
        _open_stream(number, mode, *encoding)
        for number, (mode, encoding) in enumerate(zip("rww", request["encodings"], strict=True))
    )
    return socket.socket(fileno=_CONNECTION_FD)


def _open_stream(number: int, mode: str, encoding: str, errors: str) -> IO[str]:
    """Open a standard stream as the interpreter does: errors and what a person reads appear line by line."""
    is_by_line = mode == "w" and (number == _STDERR_FD or os.isatty(number))
    return open(number, mode, encoding=encoding, errors=errors, closefd=False, buffering=1 if is_by_line else -1)


def _run(connection: socket.socket, request: Mapping[str, Any], run_command: RunCommand) -> int:
    """Run the command as a process of its own would. Returns its exit code."""
    connection.settimeout(None)
    connection.sendall(ACCEPTED)
    threading.Thread(target=_obey, args=(connection,), daemon=True).start()
    try:
        run_command(request["arguments"], request["program"])
        code = 0
    except SystemExit as end:
        code = _convert_exit_code(end.code)
    except BaseException:  # noqa: BLE001 as the interpreter does at the end of a process
        traceback.print_exc()
        code = _UNHANDLED_EXIT_CODE
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _convert_exit_code(code: object) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1


def _obey(connection: socket.socket) -> None:
    """Raise each signal that the caller got in this process; end it when the caller has gone."""
    with contextlib.suppress(OSError):
        while received := connection.recv(1):
            if 0 < received[0] <= _LAST_SIGNAL:
                os.kill(os.getpid(), received[0])
    os.kill(os.getpid(), signal.SIGKILL)
