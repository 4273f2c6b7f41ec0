"""`cratewire stores`: what is known of each store, its title, and its removal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.core.plural import pluralize
from pipeline.ledger.accounts import get_account_name
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.connections import ConnectionRow, format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import count_by_connection
from pipeline.ledger.queries.counts import count_events_by_store
from pipeline.ledger.removals import RemovalRow, call_off_removal, find_removal, request_removal
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.stores import StoreRow, list_stores, rename_store
from pipeline.operations.figures import load_figures
from pipeline.operations.remove_store import RemovalProgress, advance_removal, list_remaining_hooks
from receiver.cli.context import as_document, data_option, format_time, get_named_store, open_context
from receiver.cli.output import json_option, make_table, report_errors, show
from receiver.cli.store_events import events_command
from receiver.cli.store_keys import change_store_key_command
from receiver.cli.store_settings import print_consent, set_command
from receiver.cli.waiting import WaitBudget
from receiver.consent_view import ConsentView, load_consent_view

PART_US = 10_000_000  # of a removal; between two parts it says how far it is
MAX_WAIT_S = 300.0
_REMOVE_EXAMPLES = "Examples: cratewire stores remove acme; cratewire stores remove acme --yes --leave-hooks"


@click.group()
def stores() -> None:
    """List stores, show one, change what it forwards, rename or remove it."""


for command in (set_command, events_command, change_store_key_command):
    stores.add_command(command)


@stores.command(name="list", epilog="Example: cratewire stores list --json")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List every store with its title, its account and its platforms."""
    with open_context(data) as context, reading(context.engine) as conn:
        found = [_build_row(conn, store) for store in list_stores(conn)]
    show(found, as_json=as_json, render=lambda console: console.print(_build_table(found) if found else _NO_STORE))


@stores.command(name="show", epilog="Example: cratewire stores show acme")
@click.argument("name")
@data_option
@json_option
@report_errors
def show_command(name: str, data: Path | None, as_json: bool) -> None:
    """Show a store: its settings and what was counted."""
    with open_context(data) as context, reading(context.engine) as conn:
        store = get_named_store(conn, name)
        consent = load_consent_view(conn, store)
        document = {**_build_row(conn, store), **_build_details(conn, store, context.now())}
    document["consent"] = as_document(consent)
    show(document, as_json=as_json, render=lambda console: _print_store(console, document, consent))


@stores.command(epilog='Example: cratewire stores rename acme "Acme Coffee"')
@click.argument("name")
@click.argument("title", default="")
@data_option
@json_option
@report_errors
def rename(name: str, title: str, data: Path | None, as_json: bool) -> None:
    """Set the title that people see instead of the name.

    Without TITLE they see the store's name again. The name itself stays, in hook URLs, message ids and commands.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        store = get_named_store(conn, name)
        if rename_store(conn, store.id, title):
            record_store_action(conn, store.id, COMMAND_LINE_ACTOR, "store.renamed", context.now())
        renamed = get_named_store(conn, name)
    document = {"store": name, "title": renamed.title}
    show(document, as_json=as_json, render=lambda console: console.print(f"{name} is shown as {renamed.shown_name}."))


@stores.command(epilog=_REMOVE_EXAMPLES)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@click.option("--leave-hooks", is_flag=True, help="Go on although hooks remain at Cratejoy.")
@data_option
@json_option
@report_errors
def remove(name: str, yes: bool, leave_hooks: bool, data: Path | None, as_json: bool) -> None:
    """Remove a store for good, with all its data.

    Its hooks at Cratejoy, its keys, people, events and messages are deleted, and its account if that has no other
    store and no member. What is at the platform stays there. Hooks that arrive afterwards are answered with 410.
    If it is interrupted, it goes on in the background, or when it is run again.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
        if not yes:
            _require_name(store)
        rows = _Removal(context, store, leave_hooks=leave_hooks).run()
    show(
        {"store": name, "removed": True, "rows": rows},
        as_json=as_json,
        render=lambda console: console.print(f"Removed {name}."),
    )


class _Removal:
    """One run of `remove`."""

    def __init__(self, context: Context, store: StoreRow, *, leave_hooks: bool) -> None:
        self._context = context
        self._store = store
        self._leave_hooks = leave_hooks
        self._wait_budget = WaitBudget(_say, MAX_WAIT_S)

    def run(self) -> int:
        """Return the number of deleted rows. Raise CratewireError, and keep the store, if hooks remain at Cratejoy."""
        context, store_id = self._context, self._store.id
        with writing(context.engine) as conn:
            request_removal(conn, store_id, context.now(), leaves_hooks=self._leave_hooks)
            record_store_action(conn, store_id, COMMAND_LINE_ACTOR, "store.removal_asked", context.now())
        _say(f"Removing {self._store.name}. Its hooks at Cratejoy come first.")
        rows = 0
        while not (progress := advance_removal(context, store_id, context.now() + PART_US)).done:
            rows += progress.rows
            self._wait(progress, rows)
        return rows + progress.rows

    def _wait(self, progress: RemovalProgress, rows: int) -> None:
        if progress.trouble:
            raise self._call_off(progress.trouble)
        if progress.rows:
            _say(f"{pluralize(rows, 'row')} deleted so far.")
        if progress.wait:
            self._wait_budget.wait(progress.wait, "it takes long; it goes on in the background")

    def _call_off(self, trouble: str) -> CratewireError:
        with writing(self._context.engine) as conn:
            remaining = ", ".join(list_remaining_hooks(conn, self._store.id))
            call_off_removal(conn, self._store.id, self._context.now())
        return CratewireError(
            f"{trouble}. Nothing was removed. At Cratejoy there may still be hooks for: {remaining}. Try again later, "
            f"or leave them there: `cratewire stores remove {self._store.name} --leave-hooks` goes on without them, "
            f"and what they send is answered with 410. Delete them in Cratejoy's merchant portal then."
        )


def _require_name(store: StoreRow) -> None:
    """Have the store's name typed. Raise CratewireError for any other text."""
    _say(f"This deletes the store {store.name} with all its people, events, messages and keys. It cannot be undone.")
    if click.prompt("Type the store's name to remove it", default="", show_default=False, err=True) != store.name:
        raise CratewireError("that is not the store's name: nothing was removed")


def _say(text: str) -> None:
    click.echo(text, err=True)


_NO_STORE = "No store is connected yet: see `cratewire connect --help`."


def _build_row(conn: Connection, store: StoreRow) -> dict[str, Any]:
    return {
        "store": store.name,
        "title": store.title,
        "account": get_account_name(conn, store.account_id),
        "created_at": store.created_at,
        "removal": _describe_removal(find_removal(conn, store.id)),
        "connections": [_build_connection(row) for row in list_store_connections(conn, store.id)],
    }


def _build_connection(row: ConnectionRow) -> dict[str, Any]:
    names = ("platform", "label", "title", "account", "status", "status_reason")
    return {"connection_id": row.id, **{name: getattr(row, name) for name in names}}


def _describe_removal(row: RemovalRow | None) -> str | None:
    if row is None:
        return None
    if row.is_deleting:
        return "its rows are being deleted"
    return f"waits: {row.trouble}" if row.trouble else "its hooks at Cratejoy are being removed"


def _build_details(conn: Connection, store: StoreRow, now: int) -> dict[str, Any]:
    api, events = find_store_api(conn, store.id), count_events_by_store(conn, [store.id])[store.id]
    counts = count_by_connection(conn, now, [store.id])
    return {
        "currency": store.currency,
        "forward_also": list(store.forward_also),
        "forward_tests": store.forward_tests,
        "cratejoy_keys": api.status if api else None,
        "registers_hooks": api.registers if api else False,
        "events": sum(events.by_name.values()),
        "dead_hooks": events.dead_hooks,
        "sent": sum(row.sent for row in counts),
        "pending": sum(row.pending + row.sending for row in counts),
        "figures": load_figures(conn, {store.id: store.name}, now)[store.name],
    }


def _build_table(found: list[dict[str, Any]]) -> Table:
    table = make_table("store", "title", "account", "platform", "connected", "removal")
    for row in found:
        platforms = ", ".join(format_connection_name(one["platform"], one["label"]) for one in row["connections"])
        cells = (row["store"], row["title"] or "", row["account"], platforms, format_time(row["created_at"]))
        table.add_row(*cells, row["removal"] or "")
    return table


def _print_store(console: Console, document: dict[str, Any], consent: ConsentView) -> None:
    lines = [
        ("store", document["store"]),
        ("title", document["title"] or "none: people see the name"),
        ("account", document["account"]),
        ("connected", f"{format_time(document['created_at'])} UTC"),
        ("currency", document["currency"]),
        ("Cratejoy's keys", document["cratejoy_keys"] or "none: hooks are registered by hand"),
        ("events", f"{document['events']}; dead hooks: {document['dead_hooks']}"),
        ("messages", f"{document['sent']} sent, {document['pending']} waiting"),
        *(("connection", _describe_connection(row)) for row in document["connections"]),
        *([("removal", document["removal"])] if document["removal"] else []),
    ]
    for name, value in lines:
        console.print(f"{name + ':':<16} {value}", soft_wrap=True, highlight=False)
    print_consent(console, consent)


def _describe_connection(row: dict[str, Any]) -> str:
    name = format_connection_name(row["platform"], row["label"])
    shown = f", shown as {row['title']}," if row["title"] else ""
    return f"{name}{shown} to account {row['account']}: {row['status']}"
