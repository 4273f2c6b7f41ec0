"""A command that is run in a fork of another process does and gives what it would do and give in its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.settings import read_environment
from receiver.cli.handover import SOCKET_NAME, open_directory
from receiver.supervisor.command_forks import MAX_AT_ONCE
from tests.receiver.supervisor.command_program import NOT_HANDED_OVER
from tests.waiting import wait_until

PROGRAM = "tests.receiver.supervisor.command_program"
ROOT = Path(__file__).parents[3]


@contextmanager
def serving(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", PROGRAM, "serve", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield server
        finally:
            server.kill()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A data directory whose path is longer than the address of a socket may be."""
    folder = tmp_path_factory.mktemp("a" * 120)
    folder.chmod(0o700)
    return folder


@pytest.fixture(scope="module")
def server(place) -> Iterator[subprocess.Popen[str]]:
    with serving(place) as server:
        yield server


def start(place: Path, *words: str, folder: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", PROGRAM, "call", str(place), *words],
        cwd=folder,
        env=read_environment(None) | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(place: Path, *words: str, said: str = "", **options) -> tuple[int, str, str]:
    """The exit code of a caller, and what stands on its standard output and error."""
    with start(place, *words, **options) as process:
        output, errors = process.communicate(said)
    return process.returncode, output, errors


def until_it_stays(process: subprocess.Popen[str]) -> int:
    """The id of the fork that runs the command."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_fork_has_the_callers_input_output_folder_arguments_and_environment(place, server, tmp_path):
    code, output, errors = call(place, "show", "ä", said="typed", folder=tmp_path, ONLY="here", LANG="C.UTF-8")

    found = json.loads(output)
    assert (code, errors, found["parent"]) == (0, "and an error", server.pid)
    assert (found["input"], found["folder"], found["environment"]["ONLY"]) == ("typed", str(tmp_path), "here")
    assert found["argv"] == ["cratewire", "show", "ä", f"--data={place}"]


def test_a_fork_has_no_file_of_the_process_it_is_forked_from(place, server):
    _, output, _ = call(place, "show")

    assert set(json.loads(output)["files"]) <= {0, 1, 2, 3, 4}  # 3 is the caller, 4 the directory that it lists


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_caller_ends_with_the_exit_code_of_the_command(place, server, code):
    assert call(place, "exit", str(code))[0] == code


def test_an_error_is_shown_with_its_traceback(place, server):
    code, _, errors = call(place, "fail")

    assert (code, errors.splitlines()[-1]) == (1, "ValueError: in a fork")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_its_caller_with_it(place, server, signum):
    with start(place, "stay") as process:
        fork = until_it_stays(process)
        process.send_signal(signum)

    assert process.returncode == -signum
    assert wait_until(lambda: not is_alive(fork))


def test_an_interrupt_is_raised_in_the_command(place, server):
    with start(place, "stay") as process:
        until_it_stays(process)
        process.send_signal(signal.SIGINT)
        errors = process.communicate()[1]

    assert (process.returncode, errors.splitlines()[-1]) == (1, "KeyboardInterrupt")


def test_a_command_ends_when_its_caller_is_killed(place, server):
    with start(place, "stay") as process:
        fork = until_it_stays(process)
        process.kill()

    assert wait_until(lambda: not is_alive(fork))


def test_a_caller_whose_fork_is_killed_says_so(place, server):
    with start(place, "stay") as process:
        os.kill(until_it_stays(process), signal.SIGKILL)
        errors = process.communicate()[1]

    assert process.returncode == 1
    assert "the process of `cratewire run` that ran this command has ended" in errors


def test_when_as_many_run_as_may_the_next_one_runs_by_itself(tmp_path):
    with serving(tmp_path):
        running = [start(tmp_path, "stay") for _ in range(MAX_AT_ONCE)]
        for process in running:
            until_it_stays(process)
        code = call(tmp_path, "exit", "0")[0]
        for process in running:
            process.kill()
            process.communicate()

    assert code == NOT_HANDED_OVER


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-"])
def test_a_command_without_one_of_the_standard_streams_runs_by_itself(place, server, redirection):
    command = [sys.executable, "-m", PROGRAM, "call", str(place), "exit", "0"]

    done = subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", *command], cwd=ROOT, check=False)

    assert done.returncode == NOT_HANDED_OVER


def test_the_socket_is_for_its_user_only(place, server):
    assert stat.S_IMODE((place / SOCKET_NAME).stat().st_mode) == 0o600


def test_without_a_process_that_serves_the_command_runs_by_itself(tmp_path):
    assert call(tmp_path, "exit", "0")[0] == NOT_HANDED_OVER


def test_with_a_socket_that_a_killed_process_left_the_command_runs_by_itself(tmp_path):
    with serving(tmp_path):
        pass

    assert (tmp_path / SOCKET_NAME).is_socket()
    assert call(tmp_path, "exit", "0")[0] == NOT_HANDED_OVER


def test_a_socket_that_was_left_is_replaced(tmp_path):
    for _ in range(2):
        with serving(tmp_path):
            code = call(tmp_path, "exit", "5")[0]

    assert code == 5


def test_code_that_was_changed_since_is_not_run_in_a_fork(tmp_path):
    """An upgrade replaces the files below a running process."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "upgraded.py").write_text("")
    with serving_with(code, tmp_path):
        before = call(tmp_path, "exit", "0")[0]
        (code / "upgraded.py").write_text("A = 1")
        after = call(tmp_path, "exit", "0")[0]

    assert (before, after) == (0, NOT_HANDED_OVER)


@contextmanager
def serving_with(code: Path, folder: Path) -> Iterator[None]:
    """Serve by a process that has imported `upgraded`, too."""
    program = f"import sys, upgraded, {PROGRAM} as program, pathlib; program.serve(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", program, str(folder)]
    paths = os.pathsep.join([str(ROOT), str(code)])
    with subprocess.Popen(
        command, cwd=ROOT, env=read_environment(None) | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield
        finally:
            server.kill()


def test_what_is_no_request_starts_no_command(place, server):
    with socket.socket(socket.AF_UNIX) as connection, open_directory(place) as folder:
        connection.connect(f"{folder}/{SOCKET_NAME}")
        connection.sendall(b"\x00\x00\x00\x02{}")
        connection.settimeout(60)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""

    assert call(place, "exit", "0")[0] == 0
