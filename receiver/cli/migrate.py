"""`cratewire migrate`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.operations.copy_database import copy_database
from pipeline.settings import Settings
from receiver.cli.context import migrate_database
from receiver.cli.migrate_when_ready import migrate_when_ready
from receiver.cli.options import data_option, load_settings
from receiver.cli.output import json_option, report_errors, show
from receiver.doctor.secret_key import check_secret_key


@click.command(
    epilog="Examples: DATABASE_URL=postgresql://… cratewire migrate; … migrate --from sqlite:////srv/cratewire.db"
)
@click.option("--from", "source", metavar="URL", help="Copy the ledger of this SQLite into it, which must be empty.")
@click.option("--wait", "waits", is_flag=True, help="Try until the database answers; refuse only what stays refused.")
@data_option
@json_option
@report_errors
def migrate(source: str | None, waits: bool, data: Path | None, as_json: bool) -> None:
    """Bring the database to the newest revision. Running it again changes nothing.

    Warns if the secret key is not the one with which stores were connected.
    """
    settings = load_settings(data)
    revision = _migrate_with_retries(settings) if waits else migrate_database(settings)
    copied = _copy_ledger(source, settings.database_url) if source else None
    document = {"revision": revision} if copied is None else {"revision": revision, "copied": copied}
    show(document, as_json=as_json, human=lambda console: _print_result(console, revision, copied))
    for finding in check_secret_key(settings):
        if finding.state == "wrong":
            click.echo(f"Warning: the secret key {finding.says}. {finding.advice}", err=True)


def _migrate_with_retries(settings: Settings) -> str:
    return migrate_when_ready(settings, partial(click.echo, err=True), time.sleep)


def _copy_ledger(source: str, target: str) -> dict[str, int]:
    try:
        return copy_database(source, target)
    except SQLAlchemyError as error:
        raise Misconfigured(f"nothing was copied: a database failed ({type(error).__name__})") from error


def _print_result(console: Console, revision: str, copied: dict[str, int] | None) -> None:
    console.print(f"The database is at revision {revision}.")
    if copied is not None:
        events, people = copied["events"], copied["people"]
        console.print(f"Copied {sum(copied.values())} rows: {events} events and {people} people among them.")
