"""`cratewire people export` and `cratewire people erase`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.vacuum import vacuum_all
from pipeline.operations.erase_person import erase_person
from pipeline.regulations.erase import Erasure, ErasureRequest
from pipeline.regulations.export import export_person
from pipeline.regulations.people import find_person
from pipeline.regulations.preview import ErasurePreview, describe_options, preview_erasure
from pipeline.regulations.progress import describe_destinations, format_destination
from receiver.cli.context import data_option, get_named_store, open_context
from receiver.cli.output import format_json, json_option, report_errors, show

_STORE = click.option("--store", required=True, help="The store's name.")


@click.command(name="export", epilog="Example: cratewire people export robin@example.com --store acme > robin.json")
@click.argument("wanted", metavar="ADDRESS|ID")
@_STORE
@data_option
@report_errors
def export_command(wanted: str, store: str, data: Path | None) -> None:
    """Print all that is stored about a person as JSON.

    docs/personal-data.md describes it. Of a gift to the person it has what is theirs, not what is the giver's.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            row = get_named_store(conn, store)
            person = find_person(conn, row, wanted)
            document = export_person(conn, person, context.now(), context.settings.secret_keys)
        with writing(context.engine) as conn:
            about = {"person": person.person_id}
            record_store_action(conn, row.id, COMMAND_LINE_ACTOR, "person.exported", context.now(), about)
    click.echo(format_json(document))


@click.command(
    name="erase", epilog="Example: cratewire people erase robin@example.com --store acme --suppress --at-destinations"
)
@click.argument("wanted", metavar="ADDRESS|ID")
@_STORE
@click.option("--suppress", is_flag=True, help="Also recognise the person from now on, and store nothing about them.")
@click.option("--at-destinations", is_flag=True, help="Also let the platforms forget the person.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@data_option
@json_option
@report_errors
def erase_command(  # noqa: PLR0917 click passes each option
    wanted: str, store: str, suppress: bool, at_destinations: bool, yes: bool, data: Path | None, as_json: bool
) -> None:
    """Erase a person, and all that names them.

    Bodies, messages, attributes and gifts are emptied. Ids, times, outcomes and counts stay.

    A person of a gift is erased, and the other keeps what is theirs. Without --suppress a later hook, or one that waits
    in the inbox or the spool now, brings the person back as a new one.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            request = ErasureRequest(get_named_store(conn, store), wanted, suppress, at_destinations)
        if not yes:
            with reading(context.engine) as conn:
                preview = preview_erasure(conn, request)
            _ask(preview, request, wanted)
        done = erase_person(context, request)
        is_clean = vacuum_all(context.engine)
        with reading(context.engine) as conn:
            destinations = describe_destinations(conn, [done.regulation_id])
    document = {
        "regulation": done.regulation_id,
        "person": done.person_id,
        "emptied": done.emptied,
        "destinations": destinations,
        "files_are_clean": is_clean,
    }
    show(
        document, as_json=as_json, render=lambda console: _print_erasure(console, done, destinations, is_clean=is_clean)
    )


def _ask(preview: ErasurePreview, request: ErasureRequest, wanted: str) -> None:
    """Show what will be emptied, and ask twice. Raises click.Abort unless both answers agree."""
    row = preview.person.person_id
    click.echo(f"Store {request.store.name}, {'no row of that person' if row is None else f'person {row}'}.", err=True)
    for sentence in (*preview.summary, *describe_options(request)):
        click.echo(sentence, err=True)
    click.confirm("Erase this person? It cannot be undone.", abort=True, err=True)
    typed = click.prompt("Type the address or id again", err=True)
    if typed.strip().lower() != wanted.strip().lower():
        raise Misconfigured("that is not the same; nothing was erased")


def _print_erasure(console: Console, done: Erasure, destinations: list[dict[str, object]], *, is_clean: bool) -> None:
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(done.emptied.items()))
    console.print(f"Erased (regulation {done.regulation_id}): {counts or 'there was nothing to empty'}.")
    for place in destinations:
        reason = f" ({str(place['reason']).replace('_', ' ')})" if place["reason"] else ""
        console.print(f"{format_destination(place)}{reason}")
    if not is_clean:
        console.print("The database was being read: deleted data leaves its files within the hour.")
