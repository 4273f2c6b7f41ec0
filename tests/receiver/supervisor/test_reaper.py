"""No process outlives a killed supervisor."""

from __future__ import annotations

import subprocess
import sys

import pytest

from receiver.supervisor.reaper import find_live_groups
from tests.receiver.supervisor.child_programs import IGNORES_SIGTERM


@pytest.fixture
def guard():
    with subprocess.Popen([sys.executable, "-m", "receiver.supervisor.reaper"], stdin=subprocess.PIPE) as process:
        yield process


@pytest.fixture
def process():
    process = subprocess.Popen([sys.executable, "-c", IGNORES_SIGTERM], stdout=subprocess.PIPE, start_new_session=True)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait(timeout=30)
    process.stdout.close()


def test_a_group_that_was_not_taken_off_is_killed_when_the_pipe_closes(guard, process):
    guard.communicate(f"+{process.pid}\n".encode(), timeout=30)

    assert process.wait(timeout=30) == -9


def test_a_group_that_has_ended_is_left_alone(guard, process):
    guard.communicate(f"+{process.pid}\n-{process.pid}\n".encode(), timeout=30)

    assert process.poll() is None


def test_a_group_that_is_gone_already_is_ignored(guard):
    guard.communicate(b"+999999999\n", timeout=30)

    assert guard.returncode == 0


def test_only_what_was_started_and_has_not_ended_is_left():
    assert find_live_groups(["+10\n", "+11\n", "-10\n", "+12\n"]) == {11, 12}
