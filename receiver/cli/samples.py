"""`cratewire events sample`: saves events as samples, lists, shows and deletes them."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.samples import delete_sample, get_sample, list_samples, save_sample
from receiver.cli.context import LARGEST_ID, as_document, data_option, get_named_store, open_context
from receiver.cli.output import (
    escape_control_characters,
    format_short_time,
    json_option,
    make_table,
    print_json,
    report_errors,
    show,
)

_ID = click.IntRange(1, LARGEST_ID)


@click.group()
def sample() -> None:
    """Keep events as samples, with all personal details replaced."""


@sample.command(name="save", epilog='Example: cratewire events sample save 42 --name "a gift of three boxes"')
@click.argument("event_id", type=_ID)
@click.option("--name", required=True, help="What the sample is called; one of the same name is replaced.")
@data_option
@json_option
@report_errors
def save_command(event_id: int, name: str, data: Path | None, as_json: bool) -> None:
    """Save the data of an event as a sample."""
    with open_context(data) as context, writing(context.engine) as conn:
        sample_id = save_sample(conn, event_id, name, COMMAND_LINE_ACTOR, context.now())
    show({"id": sample_id}, as_json=as_json, render=lambda console: console.print(f"Saved as sample {sample_id}."))


@sample.command(name="list", epilog="Example: cratewire events sample list")
@click.option("--store", help="Only this store's.")
@data_option
@json_option
@report_errors
def list_command(store: str | None, data: Path | None, as_json: bool) -> None:
    """List samples, newest first."""
    with open_context(data) as context, reading(context.engine) as conn:
        found = list_samples(conn, None if store is None else [get_named_store(conn, store).id])
    table = make_table("id", "saved", "event", "store", "name", gap=1)
    for item in found:
        cells = (item.id, format_short_time(item.created_at), item.event, item.store, item.name)
        table.add_row(*(escape_control_characters(str(cell)) for cell in cells))
    show(as_document(found), as_json=as_json, render=lambda console: console.print(table if found else "No sample."))


@sample.command(name="show", epilog="Example: cratewire events sample show 3")
@click.argument("sample_id", type=_ID)
@data_option
@json_option
@report_errors
def show_command(sample_id: int, data: Path | None, as_json: bool) -> None:
    """Show a sample."""
    with open_context(data) as context, reading(context.engine) as conn:
        found = get_sample(conn, sample_id)
    if found is None:
        raise Misconfigured(f"no sample {sample_id}")
    show(as_document(found), as_json=as_json, render=lambda console: print_json(console, found.data))


@sample.command(name="delete", epilog="Example: cratewire events sample delete 3")
@click.argument("sample_id", type=_ID)
@data_option
@json_option
@report_errors
def delete_command(sample_id: int, data: Path | None, as_json: bool) -> None:
    """Delete a sample."""
    with open_context(data) as context, writing(context.engine) as conn:
        if not delete_sample(conn, sample_id, COMMAND_LINE_ACTOR, context.now()):
            raise Misconfigured(f"no sample {sample_id}")
    show({"deleted": sample_id}, as_json=as_json, render=lambda console: console.print(f"Deleted sample {sample_id}."))
