"""`cratewire connections`: stops what leaves for a platform, and lets it go on with the keys that are saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.ledger.connections import (
    ConnectionRow,
    format_connection_name,
    list_all_connections,
    list_store_connections,
)
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import find_store, list_stores
from pipeline.operations import pause
from receiver.cli.context import data_option, open_context
from receiver.cli.output import json_option, report_errors, show

P = ParamSpec("P")
R = TypeVar("R")

_RESUME_EXAMPLES = "Examples: cratewire connections resume --store acme; cratewire connections resume --all"


@click.group()
def connections() -> None:
    """Pause connections, and let them go on."""


def connection_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add --store, --label and --all."""
    command = click.option("--all", "every", is_flag=True, help="Every connection of every store.")(command)
    command = click.option("--label", help="Only the connection with this label; else all of the store's.")(command)
    return click.option("--store", help="The store's name, as given to `cratewire connect`.")(command)


@connections.command(name="pause", epilog="Example: cratewire connections pause --store acme")
@connection_options
@data_option
@json_option
@report_errors
def pause_command(store: str | None, label: str | None, every: bool, data: Path | None, as_json: bool) -> None:
    """Let nothing more leave for the platform until `resume`.

    Hooks are kept and recorded as ever; what should leave waits, and nothing is lost.
    """
    with open_context(data) as here:
        wanted = _select_connections(here, store, label, every=every)
        for _, link in wanted:
            pause.pause(here.engine, link, here.now())
    done = [_build_row(name, link) for name, link in wanted]
    show(done, as_json=as_json, human=lambda console: _print_rows(console, done, "is paused"))


@connections.command(name="resume", epilog=_RESUME_EXAMPLES)
@connection_options
@data_option
@json_option
@report_errors
def resume_command(store: str | None, label: str | None, every: bool, data: Path | None, as_json: bool) -> None:
    """Try the saved keys again, and go on if they are taken.

    The exit code is 0 only if nothing of it stays paused. For other keys: `cratewire connect`.
    """
    with open_context(data) as here:
        paused = [
            found for found in _select_connections(here, store, label, every=every) if found[1].status != "active"
        ]
        done = [_build_row(name, link, _try_resume(here, link)) for name, link in paused]
    show(done, as_json=as_json, human=lambda console: _print_rows(console, done, "goes on"))
    raise SystemExit(1 if any(one["fault"] for one in done) else 0)


def _select_connections(
    here: Context, store: str | None, label: str | None, *, every: bool
) -> list[tuple[str, ConnectionRow]]:
    """The connections that are meant, each with its store's name."""
    if every == (store is not None) or (label is not None and store is None):
        raise click.UsageError("name one store with --store, or say --all")
    with reading(here.engine) as db:
        found = _list_all(db) if store is None else _list_of_store(db, store, label)
    if not found:
        raise Misconfigured(f"store {store} has no such connection: see `cratewire status`")
    return found


def _list_all(db: Connection) -> list[tuple[str, ConnectionRow]]:
    names = {store.id: store.name for store in list_stores(db)}
    return [(names[one.store_id], one) for one in list_all_connections(db)]


def _list_of_store(db: Connection, name: str, label: str | None) -> list[tuple[str, ConnectionRow]]:
    store = find_store(db, name)
    if store is None:
        raise Misconfigured(f"no store {name}: see `cratewire status` for those there are")
    return [(name, one) for one in list_store_connections(db, store.id) if label is None or one.label == label]


def _try_resume(here: Context, link: ConnectionRow) -> str | None:
    """Why it stays paused; None if it goes on."""
    try:
        pause.resume_with_saved_keys(
            here.engine,
            here.settings.secret_keys,
            link,
            here.http,
            here.now(),
        )
    except CratewireError as error:
        return str(error)
    return None


def _build_row(store: str, link: ConnectionRow, fault: str | None = None) -> dict[str, Any]:
    return {
        "connection_id": link.id,
        "store": store,
        "platform": link.platform,
        "label": link.label,
        "fault": fault,
    }


def _print_rows(console: Console, done: list[dict[str, Any]], says: str) -> None:
    for one in done:
        what = f"stays paused: {one['fault']}" if one["fault"] else says
        console.print(
            f"{one['store']} to {format_connection_name(one['platform'], one['label'])} {what}.",
            soft_wrap=True,
            highlight=False,
        )
    if not done:
        console.print("None is paused.")
