"""The limit of open files is raised for connections, as far as the system allows."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from receiver.open_files import (
    MAX_CONNECTIONS,
    MIN_CONNECTIONS,
    RESERVED_FILES,
    WANTED_FILES,
    check_open_files,
    get_max_connections,
)

RAISE = """
import json, resource, sys
from receiver.open_files import raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
print(json.dumps([raise_file_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


def raised(soft: int, hard: int):
    """The result in a process with these limits, and its limits afterwards; those of the tests must not change."""
    command = [sys.executable, "-c", RAISE, str(soft), str(hard)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_the_limit_is_raised_as_far_as_is_allowed():
    assert raised(300, 400) == [400, [400, 400]]


def test_the_limit_is_raised_no_further_than_needed():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < WANTED_FILES:
        pytest.skip(f"a process may open {hard} files here")

    assert raised(300, hard) == [WANTED_FILES, [WANTED_FILES, hard]]


def test_a_limit_that_is_high_enough_stays():
    assert raised(400, 400) == [400, [400, 400]]


@pytest.mark.parametrize(
    ("files", "number"),
    [(WANTED_FILES, MAX_CONNECTIONS), (4_096, 4_096 - RESERVED_FILES), (256, MIN_CONNECTIONS)],
)
def test_connections_leave_files_for_everything_else(files, number):
    assert get_max_connections(files) == number


@pytest.mark.parametrize(
    ("hard", "state"), [(resource.RLIM_INFINITY, "ok"), (WANTED_FILES, "ok"), (WANTED_FILES - 1, "note")]
)
def test_the_doctor_says_when_the_limit_is_too_low(hard, state):
    assert check_open_files(hard).state == state
