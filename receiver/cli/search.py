"""`cratewire search`: people and events by a name, an address, a number or an id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from pipeline.events.money import format_money
from pipeline.events.sentences import join_parts
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import Activity, load_activities
from pipeline.ledger.queries.search import SearchResult, search
from pipeline.ledger.stores import list_stores
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import (
    escape_control_characters,
    format_short_time,
    json_option,
    make_table,
    report_errors,
    show,
)


@click.command(name="search", epilog="Example: cratewire search simunek")
@click.argument("text")
@click.option("--store", help="Only in this store.")
@data_option
@json_option
@report_errors
def search_command(text: str, store: str | None, data: Path | None, as_json: bool) -> None:
    """Find people and events.

    TEXT is a name (any part, from its beginning), an e-mail address, an order, a subscription, a shipment, a tracking
    number, a receipt, a customer id or an event id. Case and accents do not matter.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        stores = list_stores(conn) if store is None else [get_named_store(conn, store)]
        ids = [row.id for row in stores]
        found = search(conn, ids, text)
        events = load_activities(conn, found.event_ids, format_money)
    document = {**as_document(found), "events": as_document(events)}
    show(document, as_json=as_json, render=lambda console: _print(console, found, events))


def _print(console: Console, found: SearchResult, events: Sequence[Activity]) -> None:
    if not found.hits:
        console.print("Nothing is found.")
        return
    console.print(f"Found by the {', the '.join(found.recognised)}.", highlight=False)
    if found.people:
        table = make_table("person", "store", "e-mail", "name", gap=1)
        for person in found.people:
            cells = (person.id, person.store, person.email or "", person.name or "")
            table.add_row(*(escape_control_characters(str(cell)) for cell in cells))
        console.print("", table, sep="\n")
    if events:
        table = make_table("event", "received", "store", "what happened", gap=1)
        for event in events:
            cells = (event.id, format_short_time(event.received_at), event.store, join_parts(event.sentence))
            table.add_row(*(escape_control_characters(str(cell)) for cell in cells))
        console.print("", table, sep="\n")
    for dead_id in found.hook_ids:
        console.print(f"hook {dead_id} could not be read: `cratewire dead show hook:{dead_id}`", highlight=False)
