"""`cratewire people`: what is known of somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.ledger.reading import PersonShown, find_person
from receiver.cli.opened import as_document, opened, when
from receiver.cli.options import data_option
from receiver.cli.output import json_option, show, speaks_plainly, styled
from receiver.cli.tables import moment, plain


@click.group()
def people() -> None:
    """Look people up."""


@people.command(name="show", epilog="Example: cratewire people show robin@example.com")
@click.argument("wanted", metavar="EMAIL|ID")
@data_option
@json_option
@speaks_plainly
def show_command(wanted: str, data: Path | None, as_json: bool) -> None:
    """Show everybody with this address or customer id.

    Attributes and the last events; with --json also the facts from which the attributes are computed.
    """
    with opened(data) as here, reading(here.engine) as db:
        found = find_person(db, wanted)
    if not found:
        raise Misconfigured("nobody is known by that address or id")
    show(as_document(found), as_json=as_json, human=lambda console: _tell(console, found))


def _tell(console: Console, found: list[PersonShown]) -> None:
    for person in found:
        _tell_one(console, person)


def _tell_one(console: Console, person: PersonShown) -> None:
    of = f"person {person.id} of {person.store}"
    console.print(styled(person.email or "no usable address", "bold"), of, highlight=False)
    console.print(f"customer {person.customer_id or '-'}, known as of {when(person.known_at)} UTC", highlight=False)
    attributes = plain("attribute", "value")
    for name, value in sorted(person.attributes.items()):
        attributes.add_row(name, _said(name, value))
    console.print("", attributes, "", sep="\n")
    events = plain("id", "received", "event", "outcome")
    for event in person.events:
        events.add_row(str(event.id), moment(event.received_at), event.name, event.outcome)
    console.print(events)


def _said(name: str, value: Any) -> str:
    """Platforms get Unix seconds; a person reads them as a time."""
    return f"{value} ({when(value * 1_000_000)} UTC)" if name.endswith("_at") and isinstance(value, int) else str(value)
