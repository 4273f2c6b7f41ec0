"""`cratewire people`: shows what is known about a person; export and erasure are in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import PersonDetail, find_people
from receiver.cli.context import as_document, data_option, format_time, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show, styled
from receiver.cli.people_rights import erase_command, export_command
from receiver.cli.regulations import regulations


@click.group()
def people() -> None:
    """Look up people, export what is stored about them, and erase it."""


people.add_command(export_command)
people.add_command(erase_command)
people.add_command(regulations)


@people.command(name="show", epilog="Example: cratewire people show robin@example.com")
@click.argument("wanted", metavar="EMAIL|ID")
@data_option
@json_option
@report_errors
def show_command(wanted: str, data: Path | None, as_json: bool) -> None:
    """Show all people with this mail address or customer id.

    Shows attributes and the last events; with --json also the facts that the attributes are computed from.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        found = find_people(conn, wanted)
    if not found:
        raise Misconfigured("no person has that address or id")
    show(as_document(found), as_json=as_json, render=lambda console: _print_people(console, found))


def _print_people(console: Console, found: list[PersonDetail]) -> None:
    for person in found:
        _print_person(console, person)


def _print_person(console: Console, person: PersonDetail) -> None:
    description = f"person {person.id} of {person.store}"
    console.print(styled(person.email or "no usable address", "bold"), description, highlight=False)
    console.print(
        f"customer {person.customer_id or '-'}, known as of {format_time(person.known_at)} UTC", highlight=False
    )
    attributes = make_table("attribute", "value")
    for name, value in sorted(person.attributes.items()):
        attributes.add_row(name, _format_value(name, value))
    console.print("", attributes, "", sep="\n")
    events = make_table("id", "received", "event", "outcome")
    for event in person.events:
        events.add_row(str(event.id), format_short_time(event.received_at), event.name, event.outcome)
    console.print(events)


def _format_value(name: str, value: Any) -> str:
    """Format an attribute; Unix seconds are followed by the time that they mean."""
    return (
        f"{value} ({format_time(value * 1_000_000)} UTC)"
        if name.endswith("_at") and isinstance(value, int)
        else str(value)
    )
