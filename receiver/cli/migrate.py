"""`cratewire migrate`."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.cli.opened import brought_up_to_date
from receiver.cli.options import data_option, settings_of
from receiver.cli.output import json_option, show, speaks_plainly
from receiver.keyhole import look_at_key


@click.command(epilog="Example: DATABASE_URL=postgresql://… cratewire migrate")
@data_option
@json_option
@speaks_plainly
def migrate(data: Path | None, as_json: bool) -> None:
    """Bring the database to the newest revision. Running it again changes nothing.

    Warns if the secret key is not the one with which stores were connected.
    """
    settings = settings_of(data)
    revision = brought_up_to_date(settings)
    show(
        {"revision": revision},
        as_json=as_json,
        human=lambda console: console.print(f"The database is at revision {revision}."),
    )
    for finding in look_at_key(settings):
        if finding.state == "wrong":
            click.echo(f"Warning: the secret key {finding.says}. {finding.advice}", err=True)
