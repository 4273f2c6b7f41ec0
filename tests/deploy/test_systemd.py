"""The systemd units against the Procfile, the settings and systemd itself."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.deploy.shell import COMMANDS, EXEC, ROOT, SETTINGS

FOLDER = ROOT / "deploy" / "systemd"
UNITS = {path.stem.removeprefix("cratewire-"): path.read_text() for path in FOLDER.glob("cratewire-*.service")}
MOST_EXPOSED = 20  # tenths; systemd calls up to 2.0 "OK", and a service without any protection has 9.6


def test_every_process_of_the_procfile_has_a_unit():
    assert UNITS.keys() - {"migrate"} == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_unit_starts_its_process_as_the_procfile_does(name):
    command = re.search(r"(?m)^ExecStart=/bin/sh -c '(.*)'$", UNITS[name])[1]

    assert command.replace("%%", "%").replace("$$", "$") == EXEC + COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_process_is_always_started_again(name):
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(UNITS[name].splitlines())


def test_flower_which_does_not_end_while_the_broker_is_away_is_not_waited_for():
    assert "TimeoutStopSec=10" in UNITS["flower"].splitlines()


@pytest.mark.parametrize("name", UNITS)
def test_every_variable_of_ours_is_a_setting(name):
    assert set(re.findall(r"Environment=(\w+)=", UNITS[name])) - SETTINGS == {"PATH"}


def test_web_waits_for_no_migration_since_it_needs_no_database_to_keep_a_hook():
    assert "migrate" not in UNITS["web"]


@pytest.mark.parametrize("name", UNITS)
def test_a_command_finds_the_settings_the_data_and_the_user_of_the_processes(name):
    """As root and without them it would make a second, empty installation where it stands."""
    command = re.search(r"systemd-run ([^']*)", (FOLDER / "cratewire.target").read_text())[1]
    given = set(re.findall(r"(EnvironmentFile=\S+|CRATEWIRE_DATA_DIR=\S+)", command))
    user = re.search(r"--uid=(\S+)", command)[1]

    assert given | {f"User={user}"} <= {line.removeprefix("Environment=") for line in UNITS[name].splitlines()}


@pytest.fixture
def units(tmp_path):
    """The units as they would be if this checkout were the place of installation."""
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/cratewire", str(ROOT)))
    return sorted(str(path) for path in tmp_path.iterdir())


def test_systemd_finds_no_fault_in_them(units):
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_them_well_protected(units):
    services = [unit for unit in units if unit.endswith(".service")]
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", *services]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, [line for line in done.stdout.splitlines() if "exposure" in line]
