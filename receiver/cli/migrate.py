"""`cratewire migrate`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import Misconfigured
from pipeline.ledger.moving import move
from pipeline.settings import Settings
from receiver.cli.migrating import migrated_when_possible
from receiver.cli.opened import brought_up_to_date
from receiver.cli.options import data_option, settings_of
from receiver.cli.output import json_option, show, speaks_plainly
from receiver.keyhole import look_at_key


@click.command(
    epilog="Examples: DATABASE_URL=postgresql://… cratewire migrate; … migrate --from sqlite:////srv/cratewire.db"
)
@click.option("--from", "source", metavar="URL", help="Copy the ledger of this SQLite into it, which must be empty.")
@click.option("--wait", "waits", is_flag=True, help="Try until the database answers; refuse only what stays refused.")
@data_option
@json_option
@speaks_plainly
def migrate(source: str | None, waits: bool, data: Path | None, as_json: bool) -> None:
    """Bring the database to the newest revision. Running it again changes nothing.

    Warns if the secret key is not the one with which stores were connected.
    """
    settings = settings_of(data)
    revision = _patiently(settings) if waits else brought_up_to_date(settings)
    copied = _copied(source, settings.database_url) if source else None
    document = {"revision": revision} if copied is None else {"revision": revision, "copied": copied}
    show(document, as_json=as_json, human=lambda console: _tell(console, revision, copied))
    for finding in look_at_key(settings):
        if finding.state == "wrong":
            click.echo(f"Warning: the secret key {finding.says}. {finding.advice}", err=True)


def _patiently(settings: Settings) -> str:
    return migrated_when_possible(settings, partial(click.echo, err=True), time.sleep)


def _copied(source: str, target: str) -> dict[str, int]:
    try:
        return move(source, target)
    except SQLAlchemyError as error:
        raise Misconfigured(f"nothing was copied: a database failed ({type(error).__name__})") from error


def _tell(console: Console, revision: str, copied: dict[str, int] | None) -> None:
    console.print(f"The database is at revision {revision}.")
    if copied is not None:
        events, people = copied["events"], copied["people"]
        console.print(f"Copied {sum(copied.values())} rows: {events} events and {people} people among them.")
