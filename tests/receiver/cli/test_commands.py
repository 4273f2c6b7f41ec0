"""The group: its table, its help, its errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.core.errors import Misconfigured
from receiver.cli import COMMANDS, main
from receiver.cli.output import json_option, report_errors, show

CLI = Path(__file__).parents[3] / "receiver" / "cli"
NO_COMMANDS = {"__init__", "__main__", "options", "output"}
# Their commands are in the groups of other modules.
BELOW_OTHERS = {
    "account_members",
    "account_tokens",
    "connection_mapping",
    "connection_people",
    "fulfilment_batches",
    "fulfilment_boxes",
    "fulfilment_files",
    "own_test_event",
    "people_rights",
    "rehearsal_report",
    "people_why",
    "regulations",
    "store_events",
    "store_keys",
    "samples",
    "store_settings",
}


@pytest.fixture
def cli():
    return CliRunner()


def leaves() -> list[list[str]]:
    """Every command that does something, as it is typed."""
    commands = ((name, main.get_command(click.Context(main), name)) for name in COMMANDS)
    return [typed for name, command in commands for typed in below([name], command)]


def below(typed: list[str], command: click.Command) -> list[list[str]]:
    if not isinstance(command, click.Group):
        return [typed]
    return [found for name, sub in command.commands.items() for found in below([*typed, name], sub)]


@pytest.mark.parametrize("typed", leaves(), ids=" ".join)
def test_every_row_of_the_table_leads_to_its_commands_with_help_and_an_example(cli, typed):
    result = cli.invoke(main, [*typed, "--help"])

    assert result.exit_code == 0, result.output
    assert "Example" in result.output


def test_every_command_on_disk_is_in_the_table():
    named = {target.split(":")[0].rsplit(".", 1)[1] for target, _ in COMMANDS.values()}
    holding = {
        path.stem
        for path in CLI.glob("*.py")
        if "@click.command" in path.read_text() or "@click.group" in path.read_text()
    }

    assert named == holding - NO_COMMANDS - BELOW_OTHERS


def test_the_list_of_commands_imports_none_of_them():
    program = (
        "import sys\nfrom receiver.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'celery', 'flask', 'redis'} & set(sys.modules)\nsys.exit(str(heavy) if heavy else 0)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_version_is_said(cli):
    assert cli.invoke(main, ["--version"]).output.startswith("cratewire 0.")


def test_an_unknown_command_is_refused(cli):
    result = cli.invoke(main, ["nope"])

    assert result.exit_code == 2
    assert "nope" in result.output


def test_the_module_is_the_command_too():
    done = subprocess.run([sys.executable, "-m", "receiver.cli", "--help"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Usage: cratewire ")


@click.command
@json_option
@report_errors
def greet(*, as_json: bool) -> None:
    show({"greeting": "señor"}, as_json=as_json, render=lambda console: console.print("Hello"))


@click.command
@report_errors
def fail() -> None:
    raise Misconfigured("PORT: Not a valid integer.\nREDIS_URL: Missing.")


def test_humans_read_text(cli):
    assert cli.invoke(greet).stdout == "Hello\n"


def test_programs_read_one_json_document(cli):
    assert json.loads(cli.invoke(greet, ["--json"]).stdout) == {"greeting": "señor"}


def test_an_error_of_ours_goes_to_stderr_with_exit_code_1(cli):
    result = cli.invoke(fail)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: PORT: Not a valid integer.\nREDIS_URL: Missing.\n"


def test_migrating_twice_says_the_same_revision(cli, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    command = ["migrate", "--data", str(tmp_path / "new"), "--json"]

    first, second = (json.loads(cli.invoke(main, command).stdout) for _ in range(2))

    assert first == second
    assert first["revision"]
