"""`cratewire migrate`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.ledger import migrations
from pipeline.ledger.migrations.plan import Plan, describe_plan
from pipeline.operations.copy_database import copy_database
from pipeline.settings import Settings
from receiver.cli.context import data_option, load_settings, migrate_database, migrate_database_back, plan_migration
from receiver.cli.output import json_option, report_errors, show
from receiver.doctor.database import check_secret_key


@click.command(
    epilog="Examples: DATABASE_URL=postgresql://… cratewire migrate; … migrate --from sqlite:////srv/cratewire.db"
)
@click.option(
    "--from",
    "source",
    metavar="URL",
    help="Copy the ledger of this SQLite database into the database, which must be empty.",
)
@click.option("--wait", "waits", is_flag=True, help="Retry until the database answers.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what follows and how long it takes; change nothing.")
@click.option("--back-to", "earlier", metavar="REVISION", help="Go back to the revision of an earlier version.")
@data_option
@json_option
@report_errors
def migrate(
    source: str | None, waits: bool, only_plan: bool, earlier: str | None, data: Path | None, as_json: bool
) -> None:
    """Upgrade the database to the latest revision. Running it again changes nothing.

    Before it begins it says what follows and how long that takes with the rows of this ledger. Warns if the secret key
    is not the one with which stores were connected.
    """
    settings = load_settings(data)
    if only_plan:
        if source or waits or earlier:
            raise click.UsageError("--plan only reads the database: leave out the other options")
        plan = plan_migration(settings)
        show(asdict(plan) | {"seconds": plan.seconds}, as_json=as_json, render=partial(_print_plan, plan))
        return
    if earlier:
        if source or waits:
            raise click.UsageError("--back-to goes back: leave out --from and --wait")
        reached = migrate_database_back(settings, earlier)
        show({"revision": reached}, as_json=as_json, render=lambda console: _print_result(console, reached, None))
        return
    revision = _migrate_with_retries(settings) if waits else migrate_database(settings)
    copied = _copy_ledger(source, settings.database_url) if source else None
    document = {"revision": revision} if copied is None else {"revision": revision, "copied": copied}
    show(document, as_json=as_json, render=lambda console: _print_result(console, revision, copied))
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


def _print_plan(plan: Plan, console: Console) -> None:
    if plan.revision is None:
        console.print("The database is new: its tables are created, which takes no noticeable time.")
    elif not plan.steps:
        console.print(f"The database is at revision {plan.revision}, the newest: there is nothing to do.")
    for line in describe_plan(plan):
        console.print(line, soft_wrap=True)


def _print_result(console: Console, revision: str, copied: dict[str, int] | None) -> None:
    console.print(f"The database is at revision {revision}.")
    if copied is not None:
        events, people = copied["events"], copied["people"]
        console.print(f"Copied {sum(copied.values())} rows: {events} events and {people} people among them.")


MAX_RETRY_DELAY_S = 5.0
_REFUSED_TEXT = "password authentication failed"  # PostgreSQL's message; libpq passes no error code on


def migrate_when_ready(settings: Settings, report: Callable[[str], None], sleep: Callable[[float], None]) -> str:
    """Migrate, and retry while the database is unavailable. Returns the revision. Each new cause is reported once.

    Raises Misconfigured for what waiting does not change: a password that is refused, a database that this
    version cannot use.
    """
    last_cause, said = "", set[str]()

    def report_once(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            report(sentence)

    for attempt in itertools.count():
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return migrations.migrate(settings.database_url, report_once)
        except (SQLAlchemyError, OSError) as error:
            if _is_refused(error):
                message = "the database refuses the user or the password of DATABASE_URL: correct it and start again"
                raise Misconfigured(message) from error
            cause = _describe_cause(error)
        if cause != last_cause:
            report(
                f"the database cannot be migrated yet ({cause}); retrying: check DATABASE_URL, the server and its disk"
            )
            last_cause = cause
        sleep(min(MAX_RETRY_DELAY_S, 2.0**attempt / 2))
    raise AssertionError("an endless loop has ended")


def _is_refused(error: Exception) -> bool:
    """Return whether PostgreSQL refused the password, or needs one and got none."""
    cause = getattr(error, "orig", None)
    needs_password = getattr(getattr(cause, "pgconn", None), "needs_password", False)
    return bool(needs_password) or _REFUSED_TEXT in str(cause)


def _describe_cause(error: Exception) -> str:
    """Describe the error by its type and its code; its message may contain secrets."""
    cause = getattr(error, "orig", None) or error
    code = (
        getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or getattr(cause, "strerror", None)
    )
    return " ".join(filter(None, (type(cause).__name__, code)))
