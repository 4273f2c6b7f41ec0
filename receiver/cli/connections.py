"""`cratewire connections`: pauses deliveries to a platform, and resumes them with the saved keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.connections import (
    ConnectionRow,
    format_connection_name,
    list_all_connections,
    list_store_connections,
    rename_connection,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import list_stores
from pipeline.operations import pause
from receiver.cli.connection_mapping import mapping_command
from receiver.cli.connection_people import people_command
from receiver.cli.context import data_option, get_named_store, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.cli.store_keys import change_connection_key_command, list_command

P = ParamSpec("P")
R = TypeVar("R")

_RESUME_EXAMPLES = "Examples: cratewire connections resume --store acme; cratewire connections resume --all"


@click.group()
def connections() -> None:
    """List connections, change their keys, pause, resume and rename them."""


for command in (list_command, change_connection_key_command, people_command, mapping_command):
    connections.add_command(command)


def connection_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add --store, --label and --all."""
    command = click.option("--all", "all_connections", is_flag=True, help="Every connection of every store.")(command)
    command = click.option("--label", help="Only the connection with this label; by default all of the store.")(command)
    return click.option("--store", help="The store's name, as given to `cratewire connect`.")(command)


@connections.command(name="pause", epilog="Example: cratewire connections pause --store acme")
@connection_options
@data_option
@json_option
@report_errors
def pause_command(
    store: str | None, label: str | None, all_connections: bool, data: Path | None, as_json: bool
) -> None:
    """Send nothing more to the platform until `resume`.

    Hooks are stored and recorded as usual; deliveries wait, and nothing is lost.
    """
    with open_context(data) as context:
        selected = _select_connections(context, store, label, all_connections=all_connections)
        for _, connection in selected:
            pause.pause(context.engine, connection, COMMAND_LINE_ACTOR, context.now())
    rows = [_build_row(name, connection) for name, connection in selected]
    show(rows, as_json=as_json, render=lambda console: _print_rows(console, rows, "is paused"))


@connections.command(name="resume", epilog=_RESUME_EXAMPLES)
@connection_options
@data_option
@json_option
@report_errors
def resume_command(
    store: str | None, label: str | None, all_connections: bool, data: Path | None, as_json: bool
) -> None:
    """Check the saved keys, and resume if they are accepted.

    The exit code is 0 only if no selected connection stays paused. To change keys, use `cratewire connect`.
    """
    with open_context(data) as context:
        paused = [
            found
            for found in _select_connections(context, store, label, all_connections=all_connections)
            if found[1].status != "active"
        ]
        rows = [_build_row(name, connection, _try_resume(context, connection)) for name, connection in paused]
    show(rows, as_json=as_json, render=lambda console: _print_rows(console, rows, "resumes"))
    raise SystemExit(1 if any(row["fault"] for row in rows) else 0)


@connections.command(epilog='Example: cratewire connections rename --store acme --title "Newsletter"')
@click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")
@click.option("--label", default="", help="The connection's label, if it has one.")
@click.option("--title", default="", help="What people see; left out: platform and label.")
@data_option
@json_option
@report_errors
def rename(store: str, label: str, title: str, data: Path | None, as_json: bool) -> None:
    """Set the title that people see instead of platform and label. Commands take the label as before."""
    with open_context(data) as context:
        selected = _select_connections(context, store, label, all_connections=False)
        with writing(context.engine) as conn:
            for _, connection in selected:
                if not rename_connection(conn, connection.id, title):
                    continue
                about = {"connection": connection.id}
                record_store_action(
                    conn, connection.store_id, COMMAND_LINE_ACTOR, "connection.renamed", context.now(), about
                )
            rows = [(name, row) for name, row in _list_of_store(conn, store, label)]
    document = [{**_build_row(name, row), "title": row.title} for name, row in rows]
    show(document, as_json=as_json, render=lambda console: _print_titles(console, rows))


def _print_titles(console: Console, rows: list[tuple[str, ConnectionRow]]) -> None:
    for store, row in rows:
        name = format_connection_name(row.platform, row.label)
        console.print(f"{store} to {name} is shown as {row.title or name}.", soft_wrap=True, highlight=False)


def _select_connections(
    context: Context, store: str | None, label: str | None, *, all_connections: bool
) -> list[tuple[str, ConnectionRow]]:
    """Return the selected connections, each with its store's name."""
    if all_connections == (store is not None) or (label is not None and store is None):
        raise click.UsageError("give a store with --store, or --all")
    with reading(context.engine) as conn:
        found = _list_all(conn) if store is None else _list_of_store(conn, store, label)
    if not found:
        raise Misconfigured(f"store {store} has no such connection: see `cratewire status`")
    return found


def _list_all(conn: Connection) -> list[tuple[str, ConnectionRow]]:
    names = {store.id: store.name for store in list_stores(conn)}
    return [(names[row.store_id], row) for row in list_all_connections(conn)]


def _list_of_store(conn: Connection, name: str, label: str | None) -> list[tuple[str, ConnectionRow]]:
    store = get_named_store(conn, name)
    return [(name, row) for row in list_store_connections(conn, store.id) if label is None or row.label == label]


def _try_resume(context: Context, connection: ConnectionRow) -> str | None:
    """Return why the connection stays paused; None if it was resumed."""
    try:
        pause.resume_with_saved_keys(
            context.engine,
            context.settings.secret_keys,
            connection,
            context.http,
            context.now(),
            COMMAND_LINE_ACTOR,
        )
    except CratewireError as error:
        return str(error)
    return None


def _build_row(store: str, connection: ConnectionRow, fault: str | None = None) -> dict[str, Any]:
    return {
        "connection_id": connection.id,
        "store": store,
        "platform": connection.platform,
        "label": connection.label,
        "fault": fault,
    }


def _print_rows(console: Console, rows: list[dict[str, Any]], says: str) -> None:
    for row in rows:
        what = f"stays paused: {row['fault']}" if row["fault"] else says
        console.print(
            f"{row['store']} to {format_connection_name(row['platform'], row['label'])} {what}.",
            soft_wrap=True,
            highlight=False,
        )
    if not rows:
        console.print("No connection is paused.")
