"""A command imports what it needs and no more: seconds of a processor before its first word otherwise."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVERS = {"flask", "celery", "kombu", "granian"}  # what no command that shows something needs
DRIVERS = {"alembic", "mako", "openpyxl", "psycopg"}  # of migrations, workbooks, and PostgreSQL


def list_imported(code):
    """The packages that a fresh interpreter has imported after the code."""
    program = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "click" in done.stderr.split()
    return set(done.stderr.split())


def test_the_list_of_commands_imports_no_command():
    code = "from receiver.cli import main; main(['--help'], standalone_mode=False)"

    assert not list_imported(code) & {*SERVERS, *DRIVERS, "sqlalchemy", "redis", "marshmallow", "rich"}


@pytest.mark.parametrize("command", ["status", "stores", "events", "fulfilment"])
def test_a_command_that_shows_something_imports_no_server_and_no_driver(command):
    assert not list_imported(f"import receiver.cli.{command}") & (SERVERS | DRIVERS)
