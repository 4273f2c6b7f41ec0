"""`cratewire stores change-key`, `connections change-key` and `connections list`: single keys, when they worked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.cratejoy.credentials import parse_credentials
from pipeline.cratejoy.factory import open_client
from pipeline.destinations import DESTINATIONS
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.connections import ConnectionRow, format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.key_use import find_connection_use
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.stores import StoreRow, list_stores
from pipeline.operations.change_keys import (
    CRATEJOY_FIELDS,
    change_connection_keys,
    change_cratejoy_keys,
    merge_config,
)
from receiver.cli.connect import platform_options
from receiver.cli.context import data_option, format_time, get_named_store, open_context
from receiver.cli.output import json_option, make_table, report_errors, show
from receiver.cli.waiting import WaitBudget


@click.command(name="change-key", epilog="Example: cratewire stores change-key acme --client-secret CLIENT_SECRET")
@click.argument("name")
@click.option("--client-id", help="Cratejoy's Client ID; a new one comes with its own secret.")
@click.option("--client-secret", envvar="CRATEWIRE_CONNECT_CLIENT_SECRET", help="Cratejoy's Client Secret Key.")
@click.option("--cratejoy-url", "base_url", help="The URL of another Merchant API; the secret is then needed too.")
@data_option
@json_option
@report_errors
def change_store_key_command(name: str, data: Path | None, as_json: bool, **given: str | None) -> None:
    """Change a key of Cratejoy.

    It is checked with the saved others first; if it is refused, nothing is saved.
    """
    typed = _require_typed(given)
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
            api = find_store_api(conn, store.id)
        if api is None:
            raise Misconfigured(f"store {name} is connected without Cratejoy's keys: `cratewire connect --help`")
        saved = decrypt(context.settings.secret_keys, api.config, api.identity)
        credentials = parse_credentials(merge_config(CRATEJOY_FIELDS, saved, typed))
        wait_budget = WaitBudget(lambda text: click.echo(text, err=True))
        wait_budget.call_when_allowed(lambda: open_client(context, credentials, urgent=True).check())
        with writing(context.engine) as conn:
            now, keys = context.now(), context.settings.secret_keys
            change_cratejoy_keys(conn, keys, store, credentials, COMMAND_LINE_ACTOR, now)
    document = {"store": name, "changed": sorted(typed)}
    show(document, as_json=as_json, render=lambda console: console.print("Saved. Cratejoy takes it."))


@click.command(name="change-key", epilog="Example: cratewire connections change-key --store acme --api-key API_KEY")
@click.option("--store", required=True, help="The store's name, as given to `cratewire connect`.")
@click.option("--label", default="", help="The connection's label, if it has one.")
@platform_options
@data_option
@json_option
@report_errors
def change_connection_key_command(
    store: str, label: str, data: Path | None, as_json: bool, **given: str | None
) -> None:
    """Change a key of a connection.

    It is checked with the saved others first; if it is refused, nothing is saved. The region is found by itself.
    """
    typed = _require_typed(given)
    with open_context(data) as context:
        with reading(context.engine) as conn:
            row = _get_connection(conn, store, label)
        saved = decrypt(context.settings.secret_keys, row.config, row.identity)
        destination = DESTINATIONS[row.platform]
        checked = destination(merge_config(destination.fields, saved, typed), context.http).check()
        with writing(context.engine) as conn:
            now, keys = context.now(), context.settings.secret_keys
            change_connection_keys(conn, keys, row, checked, COMMAND_LINE_ACTOR, now)
    document = {"store": store, "connection": row.id, "changed": sorted(typed), **checked.facts}
    show(document, as_json=as_json, render=lambda console: console.print(f"Saved. {destination.title} takes it."))


@click.command(name="list", epilog="Example: cratewire connections list --json")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List every connection, with when its keys were last used."""
    with open_context(data) as context, reading(context.engine) as conn:
        stores = list_stores(conn)
        rows = [_describe(conn, store, row) for store in stores for row in list_store_connections(conn, store.id)]
    show(rows, as_json=as_json, render=lambda console: _print_connections(console, rows))


def _describe(conn: Connection, store: StoreRow, row: ConnectionRow) -> dict[str, Any]:
    names = ("platform", "label", "title", "account", "status", "status_reason")
    shown = {name: getattr(row, name) for name in names}
    return {"connection_id": row.id, "store": store.name, **shown, "used_at": find_connection_use(conn, row.id)}


def _print_connections(console: Console, rows: list[dict[str, Any]]) -> None:
    table = make_table("store", "platform", "account", "keys", "last used")
    for row in rows:
        works = "work" if row["status"] == "active" else row["status_reason"] or row["status"]
        name = format_connection_name(row["platform"], row["label"])
        table.add_row(row["store"], name, row["account"], works, format_time(row["used_at"]) or "never")
    console.print(table if rows else "No connection yet: see `cratewire connect --help`.")


def _require_typed(given: Mapping[str, str | None]) -> dict[str, str]:
    typed = {key: value for key, value in given.items() if value}
    if not typed:
        raise click.UsageError("give the key to change, see --help")
    return typed


def _get_connection(conn: Connection, store: str, label: str) -> ConnectionRow:
    found = [row for row in list_store_connections(conn, get_named_store(conn, store).id) if row.label == label]
    if not found:
        raise Misconfigured(f"store {store} has no such connection: see `cratewire connections list`")
    return found[0]
