"""`cratewire migrate`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.ledger import migrations
from pipeline.operations.copy_database import copy_database
from pipeline.settings import Settings
from receiver.cli.context import data_option, load_settings, migrate_database
from receiver.cli.output import json_option, report_errors, show
from receiver.doctor.database import check_secret_key


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


MAX_RETRY_DELAY_S = 5.0
_REFUSED_TEXT = "password authentication failed"  # as the server says it; libpq passes no code on


def migrate_when_ready(settings: Settings, report: Callable[[str], None], sleep: Callable[[float], None]) -> str:
    """The newest revision, once the database has it. `tell` hears of each other cause of waiting once.

    Raises Misconfigured for what does not change by waiting: a password that is refused, a database that this
    version cannot use.
    """
    told = ""
    for tries in itertools.count():
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return migrations.migrate(settings.database_url)
        except (SQLAlchemyError, OSError) as error:
            if _is_refused(error):
                message = "the database refuses the user or the password of DATABASE_URL: correct it and start again"
                raise Misconfigured(message) from error
            cause = _describe_cause(error)
        if cause != told:
            report(
                f"the database cannot be migrated yet ({cause}); trying until it can: look at DATABASE_URL, the server "
                "and its disk"
            )
            told = cause
        sleep(min(MAX_RETRY_DELAY_S, 2.0**tries / 2))
    raise AssertionError("an endless loop has ended")


def _is_refused(error: Exception) -> bool:
    """Whether PostgreSQL refused the password, or wants one and was given none."""
    cause = getattr(error, "orig", None)
    needs_password = getattr(getattr(cause, "pgconn", None), "needs_password", False)
    return bool(needs_password) or _REFUSED_TEXT in str(cause)


def _describe_cause(error: Exception) -> str:
    """What may be said of it: its kind, and the code by which the server or the system names it."""
    cause = getattr(error, "orig", None) or error
    code = (
        getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or getattr(cause, "strerror", None)
    )
    return " ".join(filter(None, (type(cause).__name__, code)))
