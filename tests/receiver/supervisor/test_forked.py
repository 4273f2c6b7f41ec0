"""A forked child has the modules of its parent and nothing else: not its files, its environment or its signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from receiver.supervisor.forked import ForkedProcess
from receiver.supervisor.procfile import PROCFILE, build_shell_command, expand_line

PROGRAM = "tests.receiver.supervisor.forked_program"
ONLY = {"ONLY": "this"}


def run(*arguments):
    """The exit code of a forked program, and what it has said."""
    process = ForkedProcess("web", ["python", "-m", PROGRAM, *arguments], ONLY)
    with process.stdout:
        said = process.stdout.readall().decode()
    return process.wait(), said


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a fork has whose parent holds a file open and handles signals in its own way."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with (tmp_path_factory.mktemp("parent") / "lock").open("w"):
        code, said = run("7", "x")
    signal.signal(signal.SIGTERM, before)
    return code, json.loads(said)


def test_a_fork_ends_with_the_exit_code_of_its_command(found):
    assert (found[0], found[1]["arguments"]) == (7, ["7", "x"])


def test_a_fork_has_no_open_file_of_its_parent(found):
    assert set(found[1]["files"]) <= {0, 1, 2, 3}  # 3 is the directory that it lists


def test_a_fork_has_only_the_environment_that_it_was_given(found):
    assert found[1]["environment"] == ONLY


def test_a_fork_leads_a_group_of_its_own_stops_at_a_signal_and_has_a_name(found):
    assert (found[1]["leads_group"], found[1]["stops"], found[1]["name"]) == (True, True, "cw web")


def test_a_killed_fork_ends_with_the_negative_number_of_the_signal():
    process = ForkedProcess("worker", ["python", "-m", PROGRAM, "stay"], ONLY)
    assert process.stdout.read(1)

    process.kill()

    assert (process.wait(), process.poll()) == (-signal.SIGKILL, -signal.SIGKILL)
    process.stdout.close()


@pytest.mark.parametrize("name", sorted(PROCFILE))
@pytest.mark.parametrize("environment", [{}, {"PORT": "1", "CRATEWIRE_WORKERS": "2", "CRATEWIRE_HOST": ""}])
def test_a_fork_runs_the_words_that_the_shell_would_execute(name, environment):
    shell = build_shell_command(PROCFILE[name])[:2]
    words = [*shell, f"printf '%s\\n' {PROCFILE[name]}"]

    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)

    assert expand_line(PROCFILE[name], environment) == done.stdout.splitlines()


def test_what_is_imported_before_the_fork_starts_no_thread_and_opens_nothing():
    program = (
        "import os, threading\nfrom receiver.supervisor.preload import preload\n"
        "before = set(os.listdir('/proc/self/fd'))\npreload()\n"
        "print(threading.active_count(), len(os.listdir('/proc/self/task')), "
        "len(set(os.listdir('/proc/self/fd')) - before))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["1", "1", "0"]
