"""The table of processes and the Procfile are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import Settings
from receiver.flower import build_flower_environment
from receiver.supervisor.forked import FIRST_FREE_FD
from receiver.supervisor.procfile import FORKED, PROCFILE, build_child_environment, build_shell_command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment({"CRATEWIRE_FLOWER_PASSWORD": "correct horse"}, data_dir=tmp_path, port=9001)


def test_the_procfile_and_the_table_are_in_step():
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())

    assert lines == PROCFILE


def test_the_forks_are_those_of_the_procfile_but_beat_which_the_worker_runs():
    assert set(FORKED) == set(PROCFILE) - {"beat"}
    assert "--with-beat" in FORKED["worker"]


@pytest.mark.parametrize("name", ["worker", "backfill"])
def test_a_forked_worker_takes_from_the_queues_that_the_procfile_names(name):
    queues = {
        line: line.split(option)[1].split()[0] for line, option in ((PROCFILE[name], "-Q"), (FORKED[name], "--queues"))
    }

    assert len(set(queues.values())) == 1


def test_the_worker_wakes_backfill_for_all_of_its_queues():
    queues = FORKED["backfill"].split("--queues ")[1].split()[0]

    assert f"--wake {queues} {FIRST_FREE_FD}" in FORKED["worker"]


def test_a_line_is_replaced_by_its_process_and_its_variables_are_filled_in():
    command = build_shell_command("echo ${PORT:-8080} ${NOTHING:-nothing}")

    done = subprocess.run(command, env={"PORT": "1"}, capture_output=True, text=True, check=True)

    assert done.stdout == "1 nothing\n"


def test_children_see_what_the_command_line_chose(settings, tmp_path):
    environment = build_child_environment(settings, {"PORT": "1", "CRATEWIRE_DATA_DIR": "elsewhere", "OTHER": "kept"})

    assert Settings.from_environment(environment) == settings.__class__.from_environment(
        {}, data_dir=tmp_path, port=9001
    )
    assert environment["OTHER"] == "kept"


def test_children_find_this_interpreters_programs_first(settings):
    environment = build_child_environment(settings, {"PATH": "/bin"})

    assert environment["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]


def test_flower_listens_on_loopback_behind_a_password(settings):
    environment = build_flower_environment(settings, {})

    assert environment["FLOWER_ADDRESS"] == "127.0.0.1"
    assert environment["FLOWER_BASIC_AUTH"] == "cratewire:correct horse"
