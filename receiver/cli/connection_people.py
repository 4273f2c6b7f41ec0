"""`cratewire connections people`: how far the people of a store are on their way to a platform; starts and stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.connection_people import PeopleRow, find_people, start_people, stop_people
from pipeline.ledger.connections import ConnectionRow, format_connection_name, list_store_connections
from pipeline.ledger.engine import writing
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import json_option, report_errors, show

Change = Literal["start", "stop"]
_ACTIONS: dict[Change, str] = {"start": "connection.people_started", "stop": "connection.people_stopped"}
_STATES = {"running": "are being sent", "stopped": "were stopped", "done": "were sent"}


@click.command(name="people", epilog="Example: cratewire connections people --store acme --platform klaviyo")
@click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")
@click.option("--platform", help="The connection's platform; needed if there are several.")
@click.option("--label", default="", help="The connection's label, if it has one.")
@click.option("--start", "change", flag_value="start", help="Send everyone who has no profile there.")
@click.option("--stop", "change", flag_value="stop", help="Write no further profile; those that wait leave.")
@data_option
@json_option
@report_errors
def people_command(
    store: str, platform: str | None, label: str, change: Change | None, data: Path | None, as_json: bool
) -> None:
    """Show who was sent to a later connection; start or stop it.

    Their profiles come from what Cratewire knows, without a call to Cratejoy and without any event.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        row = choose_connection(conn, store, platform, label)
        now = context.now()
        if change == "start":
            start_people(conn, row.id, now)
        elif change == "stop":
            stop_people(conn, row.id, now)
        if change is not None:
            about = {"connection": row.id}
            record_store_action(conn, row.store_id, COMMAND_LINE_ACTOR, _ACTIONS[change], now, about)
        found = find_people(conn, row.id)
    show(as_document(found), as_json=as_json, render=lambda console: _print(console, store, row, found))


def choose_connection(conn: Connection, store: str, platform: str | None, label: str) -> ConnectionRow:
    """Return the connection that these name. Raise Misconfigured, naming those there are."""
    rows = list_store_connections(conn, get_named_store(conn, store).id)
    found = [row for row in rows if row.label == label and platform in (None, row.platform)]
    if len(found) != 1:
        names = ", ".join(format_connection_name(row.platform, row.label) for row in rows)
        raise Misconfigured(f"name one connection with --platform and --label; the store has: {names or 'none'}")
    return found[0]


def _print(console: Console, store: str, row: ConnectionRow, found: PeopleRow | None) -> None:
    name = format_connection_name(row.platform, row.label)
    if found is None:
        console.print(f"No people of {store} were sent to {name}: it was connected with the store.")
        return
    console.print(
        f"People of {store} {_STATES[found.state]} to {name}: {found.looked_at} of {found.total} looked at, "
        f"{found.written} profiles written.",
        highlight=False,
        soft_wrap=True,
    )
