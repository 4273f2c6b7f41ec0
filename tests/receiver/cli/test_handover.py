"""Which commands `cratewire run` runs in a fork, and for which data directory."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from receiver.cli import COMMANDS, main
from receiver.cli.handover import SHOWING, can_hand_over, find_data_dir

CHANGING = (
    "accounts invite", "alarms test", "backfill start", "connect", "dead replay", "demo", "events tail", "events test",
    "fulfilment release", "hooks rotate", "migrate", "people erase", "people export", "replay start", "reseal", "run",
    "stores remove",
)  # fmt: skip


def get_command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", sorted(SHOWING))
def test_every_command_that_is_handed_over_is_there(name):
    command, subcommands = get_command(name), SHOWING[name]

    assert subcommands is None or (isinstance(command, click.Group) and subcommands <= set(command.commands))
    assert isinstance(command, click.Group) == (subcommands is not None)


@pytest.mark.parametrize("words", CHANGING)
def test_what_changes_something_asks_or_goes_on_for_long_runs_by_itself(words):
    assert not can_hand_over(words.split(), COMMANDS)


@pytest.mark.parametrize("words", ["status", "status --json", "events list --limit 3", "doctor --data x"])
def test_what_shows_something_is_handed_over(words):
    assert can_hand_over(words.split(), COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_every_command_is_handed_over(name):
    assert can_hand_over([name, "--help"], COMMANDS)


@pytest.mark.parametrize("words", ["", "--help", "--version", "nothing", "nothing --help"])
def test_what_needs_no_command_is_not_handed_over(words):
    assert not can_hand_over(words.split(), COMMANDS)


@pytest.mark.parametrize(
    ("words", "environ", "folder"),
    [
        ("status", {}, "var"),
        ("status", {"CRATEWIRE_DATA_DIR": " "}, "var"),
        ("status", {"CRATEWIRE_DATA_DIR": "/a"}, "/a"),
        ("status --data /b", {"CRATEWIRE_DATA_DIR": "/a"}, "/b"),
        ("status --data=/b --json", {"CRATEWIRE_DATA_DIR": "/a"}, "/b"),
        ("status --data", {}, "var"),
    ],
)
def test_the_data_directory_is_the_one_that_the_command_would_use(words, environ, folder):
    assert find_data_dir(words.split(), environ) == Path(folder)
