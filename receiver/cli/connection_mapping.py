"""`cratewire connections mapping`: what a connection gets, under which names; tries a change before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.connections import ConnectionRow, format_connection_name
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import StoreRow
from pipeline.mapping.rules import ConnectionMapping, change_mapping, parse_mapping
from pipeline.mapping.save import save_mapping
from pipeline.mapping.trial import TrialCounts, try_mapping
from receiver.cli.connection_people import choose_connection
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import json_option, make_table, report_errors, show

_EXAMPLES = (
    'Examples: cratewire connections mapping --store acme --event "order_new=Placed Order" --event checkout_failed= '
    "--attribute subscription_plan=Plan; add --save to save it"
)


@click.command(name="mapping", epilog=_EXAMPLES)
@click.option("--store", "name", required=True, help="The store's name, as given to `cratewire connect`.")
@click.option("--platform", help="The connection's platform; needed if there are several.")
@click.option("--label", default="", help="The connection's label, if it has one.")
@click.option(
    "--event", "events", multiple=True, metavar="NAME=THERE", help="What an event is called there; nothing: not sent."
)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=THERE", help="The same for an attribute.")
@click.option("--file", "file", type=click.File("r"), help="The whole mapping as JSON, instead of the one there is.")
@click.option(
    "--last", type=click.IntRange(1, 10_000), default=1_000, show_default=True, help="Try it over so many events."
)
@click.option("--save", "saves", is_flag=True, help="Save the change; without it only its effect is shown.")
@data_option
@json_option
@report_errors
def mapping_command(
    name: str, platform: str | None, label: str, data: Path | None, as_json: bool, **given: Any
) -> None:
    """Show what a connection gets, and try or save a change.

    A change holds for what leaves from then on; whether an event is sent at all is decided when it arrives. Events of
    before, and people, are sent again with `cratewire replay start` and `cratewire connections people --start`.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store, row = get_named_store(conn, name), choose_connection(conn, name, platform, label)
            before = parse_mapping(row.mapping)
            after = parse_mapping(given["file"].read()) if given["file"] else before
            after = change_mapping(after, read_pairs(given["events"]), read_pairs(given["attributes"]))
            change = _Change(store, row, before, after, try_mapping(conn, store, before, after, given["last"]))
        if given["saves"]:
            with writing(context.engine) as conn:
                save_mapping(conn, row, after, COMMAND_LINE_ACTOR, context.now())
    document = {
        "store": name,
        "connection": row.id,
        "before": as_document(before),
        "after": as_document(after),
        "trial": as_document(change.counts),
        "saved": given["saves"],
    }
    show(document, as_json=as_json, render=lambda console: _print(console, change, is_saved=given["saves"]))


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a connection's mapping, and what it would do to recent events."""

    store: StoreRow
    row: ConnectionRow
    before: ConnectionMapping
    after: ConnectionMapping
    counts: TrialCounts


def read_pairs(given: tuple[str, ...]) -> Mapping[str, str | None]:
    """Return the pairs of options NAME=THERE; None where nothing follows. Raise Misconfigured."""
    pairs = {}
    for one in given:
        name, found, there = one.partition("=")
        if not found:
            raise Misconfigured(f"{one}: write NAME=THERE, or NAME= for what is not sent")
        pairs[name.strip()] = there.strip() or None
    return pairs


def _print(console: Console, change: _Change, *, is_saved: bool) -> None:
    table = make_table("event", "name there")
    for name, event in EVENTS.items():
        there = change.after.events.get(name, name)
        is_on = change.store.forwards(name, by_default=event.forwarded)
        table.add_row(name, "the store keeps it" if not is_on else "not sent" if there is None else there)
    title = format_connection_name(change.row.platform, change.row.label)
    console.print(f"{change.store.name} to {title}:", table, sep="\n")
    for name, there in change.after.attributes.items():
        console.print(f"Attribute {name}: {'not sent' if there is None else there}", highlight=False)
    if change.before == change.after:
        return
    counts = change.counts
    console.print(
        f"Of the last {counts.events} events {counts.changed} would have another name, {counts.no_longer_sent} would "
        f"no longer be sent, {counts.newly_sent} would be sent, {counts.unchanged} stay. Of {counts.people} profiles "
        f"{counts.profiles_changed} would change.",
        highlight=False,
        soft_wrap=True,
    )
    console.print("Saved." if is_saved else "Nothing was saved: add --save.")
