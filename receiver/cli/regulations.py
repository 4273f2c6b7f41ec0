"""`cratewire people regulations`: who was erased, and how that outlives a restore."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from pipeline.inbox.append_only_file import rewrite_append_only_file
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.regulations import RegulationRow, list_regulations
from pipeline.ledger.vacuum import vacuum_all
from pipeline.regulations.apply import apply_regulations
from pipeline.regulations.erase import build_eraser
from pipeline.regulations.progress import describe_destinations, format_destination
from pipeline.regulations.transfer import (
    FILE_NAME,
    export_regulations,
    import_regulations,
    load_document,
    save_regulations,
)
from receiver.cli.context import as_document, data_option, format_time, open_context
from receiver.cli.output import format_json, json_option, make_table, report_errors, show


@click.group()
def regulations() -> None:
    """List erasures, and apply them after a restore."""


@regulations.command(name="list", epilog="Example: cratewire people regulations list")
@data_option
@json_option
@report_errors
def list_command(data: Path | None, as_json: bool) -> None:
    """List all erasures, and where each was done.

    They hold no names and no addresses.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        found = list_regulations(conn)
        destinations = describe_destinations(conn, [row.id for row in found])
    documents = [
        {**as_document(row), "destinations": [place for place in destinations if place["regulation"] == row.id]}
        for row in found
    ]
    show(documents, as_json=as_json, render=lambda console: _print_table(console, found, destinations))


@regulations.command(name="export", epilog="Example: cratewire people regulations export > regulations.json")
@data_option
@report_errors
def export_command(data: Path | None) -> None:
    """Print all erasures as JSON, for `import`.

    The document is of use only with the secret key.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        document = export_regulations(conn)
    click.echo(format_json(document))


@regulations.command(name="import", epilog="Example: cratewire people regulations import regulations.json")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@data_option
@json_option
@report_errors
def import_command(file: Path | None, data: Path | None, as_json: bool) -> None:
    """Add erasures that a restore lost, and apply all.

    FILE is an export; without it, the file that each erasure writes to the data directory.
    """
    with open_context(data) as context:
        document = load_document(file or context.settings.data_dir / FILE_NAME)
        with writing(context.engine) as conn:
            imported = import_regulations(conn, document)
        applied = apply_regulations(build_eraser(context))
        save_regulations(context.engine, context.settings.data_dir)
        vacuum_all(context.engine)
        rewrite_append_only_file(context.redis)
    shown = {"imported": as_document(imported), "applied": as_document(applied)}
    sentence = (
        f"{imported.added} added, {imported.known} known, {imported.unknown_stores} of other stores. "
        f"{applied.people} people were erased again."
    )
    show(shown, as_json=as_json, render=lambda console: console.print(sentence))


@regulations.command(epilog="Example: cratewire people regulations save")
@data_option
@report_errors
def save(data: Path | None) -> None:
    """Write all erasures to `regulations.json`.

    Each erasure does so too, in the data directory of its process.
    """
    with open_context(data) as context:
        path = save_regulations(context.engine, context.settings.data_dir)
    click.echo(f"Saved in {path}.")


def _print_table(console: Console, found: list[RegulationRow], destinations: list[dict[str, object]]) -> None:
    if not found:
        console.print("No person was erased.")
        return
    table = make_table("id", "asked", "store", "person", "kind", "recognised", "destinations")
    for row in found:
        places = [place for place in destinations if place["regulation"] == row.id]
        states = ", ".join(map(format_destination, places)) or "not asked"
        person = "" if row.person_id is None else str(row.person_id)
        table.add_row(
            str(row.id), format_time(row.created_at), row.store, person, row.kind, str(row.recognised), states
        )
    console.print(table)
