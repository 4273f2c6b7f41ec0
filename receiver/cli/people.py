"""`cratewire people`: shows what is known about a person; export and erasure are in files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.consent import COMMAND_LINE
from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.events.money import format_money
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import find_people
from pipeline.ledger.stores import find_store
from pipeline.operations.consent import release
from pipeline.people.timeline import PersonPage, Timeline, load_timeline
from receiver.cli.context import as_document, data_option, format_time, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show, styled
from receiver.cli.people_rights import erase_command, export_command
from receiver.cli.people_why import describe_page, load_people, print_items, why_command
from receiver.cli.regulations import regulations


@click.group()
def people() -> None:
    """Look up people, export what is stored about them, and erase it."""


people.add_command(export_command)
people.add_command(erase_command)
people.add_command(why_command)
people.add_command(regulations)


@people.command(name="show", epilog="Example: cratewire people show robin@example.com")
@click.argument("wanted", metavar="EMAIL|ID")
@data_option
@json_option
@report_errors
def show_command(wanted: str, data: Path | None, as_json: bool) -> None:
    """Show all people with this mail address or customer id.

    Shows who they are, each attribute with its earlier values, and what became of their events; with --json also
    the facts that the attributes are computed from.
    """
    with open_context(data) as context, reading(context.engine) as conn:
        now = context.now()
        found = [
            (page, load_timeline(conn, page.detail.id, format_money, now))
            for _, page in load_people(conn, wanted, None, now)
        ]
    documents = [as_document(page.detail) | describe_page(page) for page, _ in found]
    show(documents, as_json=as_json, render=lambda console: _print_people(console, found))


@people.command(name="release", epilog="Example: cratewire people release robin@example.com --store acme")
@click.argument("wanted", metavar="ADDRESS|ID")
@click.option("--store", required=True, help="The store's name.")
@click.option("--consent-confirmed", is_flag=True, help="The person agreed; do not ask. For scripts.")
@data_option
@json_option
@report_errors
def release_command(wanted: str, store: str, consent_confirmed: bool, data: Path | None, as_json: bool) -> None:
    """Send what was withheld about a person.

    They are never withheld again. The events leave under their own ids, so none is sent twice. The decision is
    recorded.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            found = find_store(conn, store)
            matches = [person for person in find_people(conn, wanted) if person.store == store]
        if found is None or len(matches) != 1:
            raise Misconfigured(f"no such person in a store {store}")
        if not consent_confirmed:
            question = "This person's data goes to your platforms. You say that they agreed to it. Send it?"
            click.confirm(question, abort=True, err=True)
        with writing(context.engine) as conn:
            sent = release(conn, found.id, matches[0].id, COMMAND_LINE, context.now())
            about = {"person": matches[0].id}
            record_store_action(conn, found.id, COMMAND_LINE_ACTOR, "person.released", context.now(), about)
    document = {"person": matches[0].id, "events": sent}
    text = f"Person {matches[0].id} is released; the profile and {pluralize(sent, 'event')} are on their way."
    show(document, as_json=as_json, render=lambda console: console.print(text))


def _print_people(console: Console, found: Sequence[tuple[PersonPage, Timeline]]) -> None:
    for page, timeline in found:
        _print_person(console, page, timeline)


def _print_person(console: Console, page: PersonPage, timeline: Timeline) -> None:
    person = page.detail
    description = f"person {person.id} of {person.store}"
    console.print(styled(person.email or "no usable address", "bold"), description, highlight=False)
    console.print(
        f"customer {person.customer_id or '-'}, known as of {format_time(person.known_at)} UTC", highlight=False
    )
    console.print(" · ".join(page.headline), highlight=False)
    for line in filter(None, (page.consent.withheld, *page.hints)):
        console.print(line, highlight=False)
    attributes = make_table("attribute", "since", "from", "value")
    for history in page.histories:
        for number, value in enumerate((history.now, *history.earlier)):
            name = "" if number else history.name
            shown = "none" if value.value is None else _format_value(history.name, value.value)
            source = page.origins.get(value.event_id or 0, "") if value.event_id else "API" if value.since else ""
            attributes.add_row(name, format_short_time(value.since), source, f"before: {shown}" if number else shown)
    console.print("", attributes, "", sep="\n")
    print_items(console, timeline.items)
    console.print()


def _format_value(name: str, value: Any) -> str:
    """Format an attribute; Unix seconds are followed by the time that they mean."""
    return (
        f"{value} ({format_time(value * 1_000_000)} UTC)"
        if name.endswith("_at") and isinstance(value, int)
        else str(value)
    )
