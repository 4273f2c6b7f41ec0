"""`cratewire rehearse`: what would be different with a changed mapping, another setting, platform or version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection

from pipeline.core.consent import GIFT_RECIPIENT_POLICIES, MARKETPLACE_POLICIES
from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.ledger.connections import format_connection_name, list_store_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import StoreRow
from pipeline.mapping.rules import AS_IT_IS, change_mapping, format_mapping, parse_mapping
from pipeline.rehearsal.change import RehearsedChange, choose_events
from pipeline.rehearsal.differences import Difference, Differences
from pipeline.rehearsal.run import DAY_US, Rehearsal, RehearsalReport, rehearse
from pipeline.rehearsal.side_process import THIS_VERSION, find_version
from receiver.cli.connection_mapping import read_pairs
from receiver.cli.connection_people import choose_connection
from receiver.cli.context import as_document, data_option, get_named_store, open_context
from receiver.cli.output import json_option, make_console, make_table, report_errors, show

_EXAMPLES = (
    'Examples: cratewire rehearse --store acme --event "order_new=Placed Order"; '
    "cratewire rehearse --store acme --add-platform klaviyo; cratewire rehearse --store acme --against ../next"
)


@click.command(epilog=_EXAMPLES)
@click.option("--store", "name", required=True, help="The store's name, as given to `cratewire connect`.")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="How far back.")
@click.option("--platform", help="The connection to change; needed if there are several.")
@click.option("--label", default="", help="The connection's label, if it has one.")
@click.option(
    "--event", "events", multiple=True, metavar="NAME=THERE", help="What an event is called there; nothing: not sent."
)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=THERE", help="The same for an attribute.")
@click.option("--mapping", "mapping", type=click.File("r"), help="The connection's whole mapping as JSON.")
@click.option("--add-platform", "added", metavar="PLATFORM", help="A connection more, to this platform.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A form field of that connection.")
@click.option("--send", "sent", multiple=True, metavar="EVENT", help="An event that the store would send, too.")
@click.option("--keep", "kept", multiple=True, metavar="EVENT", help="An event that the store would no longer send.")
@click.option(
    "--marketplace",
    "marketplace_policy",
    type=click.Choice(MARKETPLACE_POLICIES),
    help="The store's other policy about Marketplace customers.",
)
@click.option(
    "--gift-recipients",
    type=click.Choice(GIFT_RECIPIENT_POLICIES),
    help="The store's other policy about gift recipients.",
)
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Another version: its folder."
)
@click.option("--list", "lists_all", is_flag=True, help="Every difference with its values, and not only examples.")
@data_option
@json_option
@report_errors
def rehearse_command(
    name: str, days: int, against: Path | None, lists_all: bool, data: Path | None, as_json: bool, **given: Any
) -> None:
    """Run recorded hooks again, with a change, and show what would be sent otherwise.

    Nothing is sent, and nothing is written but a folder of the data directory that is deleted at the end.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
            change = _read_change(conn, store, given)
            titles = _name_connections(conn, store, change)
        version = find_version(against.resolve()) if against else THIS_VERSION
        if change.is_empty and against is None:
            raise Misconfigured("say what to change: see `cratewire rehearse --help`")
        rehearsal = Rehearsal(store, context.now() - days * DAY_US, change, version)
        console = make_console(stderr=True)
        with Progress(console=console, transient=True, disable=as_json or not console.is_terminal) as progress:
            task = progress.add_task("hooks", total=None)
            with rehearse(
                context, rehearsal, lambda done, total: progress.update(task, completed=done, total=total)
            ) as (report, differences):
                progress.stop()
                document = _build_document(report, titles, differences if lists_all else None)
                listed = differences if lists_all else None
                show(document, as_json=as_json, render=lambda out: _print(out, report, titles, listed))


def _read_change(conn: Connection, store: StoreRow, given: Mapping[str, Any]) -> RehearsedChange:
    """Return what the options change. Raises Misconfigured."""
    mappings: dict[int, str | None] = {}
    pairs = read_pairs(given["events"]), read_pairs(given["attributes"])
    platform_mapping = None
    if given["added"] is not None:
        typed = parse_mapping(given["mapping"].read()) if given["mapping"] else AS_IT_IS
        platform_mapping = format_mapping(change_mapping(typed, *pairs))
    elif given["mapping"] or any(pairs):
        row = choose_connection(conn, store.name, given["platform"], given["label"])
        before = parse_mapping(given["mapping"].read() if given["mapping"] else row.mapping)
        mappings[row.id] = format_mapping(change_mapping(before, *pairs))
    return RehearsedChange(
        mappings,
        _read_store_settings(store, given),
        given["added"],
        platform_mapping,
        {key: value or "" for key, value in read_pairs(given["fields"]).items()},
    )


def _read_store_settings(store: StoreRow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the store that the options change."""
    changed: dict[str, Any] = {
        key: given[key] for key in ("marketplace_policy", "gift_recipients") if given[key] is not None
    }
    if given["sent"] or given["kept"]:
        changed |= choose_events(store, given["sent"], given["kept"])
    return changed


def _name_connections(conn: Connection, store: StoreRow, change: RehearsedChange) -> dict[int, str]:
    rows = list_store_connections(conn, store.id)
    titles = {row.id: format_connection_name(row.platform, row.label, row.title) for row in rows}
    if change.platform is not None:
        titles[max(titles, default=0) + 1] = f"{change.platform} (new)"
    return titles


def _build_document(report: RehearsalReport, titles: Mapping[int, str], every: Differences | None) -> dict[str, Any]:
    groups = [{**as_document(group), "to": titles.get(group.connection, "")} for group in report.groups]
    unsendable = [
        {"to": titles.get(number, ""), "event": event, "kind": kind, "count": count}
        for (number, event, kind), count in sorted(report.unsendable.items())
    ]
    figures = {key: value for key, value in as_document(report).items() if key not in {"groups", "unsendable"}}
    document = {**figures, "differences": report.differences, "groups": groups, "unsendable": unsendable}
    return document if every is None else {**document, "all": [as_document(one) for one in every]}


def _print(out: Console, report: RehearsalReport, titles: Mapping[int, str], every: Differences | None) -> None:
    out.print(
        f"{pluralize(report.hooks, 'hook')}: {pluralize(report.messages_before, 'message')} as things are, "
        f"{report.messages_after} with the change. {pluralize(report.differences, 'difference')}.",
        highlight=False,
        soft_wrap=True,
    )
    if report.from_data:
        out.print(f"Of {report.from_data} the bytes are gone: what was read of them then is used.", highlight=False)
    table = make_table("to", "what", "difference", "count", "people", "fields")
    for group in report.groups:
        table.add_row(
            titles.get(group.connection, ""),
            _name_what(group.kind, group.event),
            group.change,
            str(group.count),
            str(group.people or ""),
            ", ".join(group.fields),
        )
    if report.groups:
        out.print(table)
    for (number, event, kind), count in sorted(report.unsendable.items()):
        to = titles.get(number, "")
        out.print(f"{to}: no request is made for {count} of {_name_what(kind, event)}.", highlight=False)
    shown = every if every is not None else (one for group in report.groups for one in group.examples[:1])
    for one in shown:
        _print_difference(out, one, titles)


def _print_difference(out: Console, one: Difference, titles: Mapping[int, str]) -> None:
    to = titles.get(one.connection)
    place = f"{to}, " if to else ""
    about = f" about {one.person}" if one.person else ""
    out.print(f"{place}{_name_what(one.kind, one.event)}{about}, hook {one.receipt}: {one.change}", highlight=False)
    for path in one.fields:
        if path in one.detail:
            old, new = one.detail[path]
            out.print(f"    {path}: {old!r} -> {new!r}", highlight=False, soft_wrap=True)
        else:
            out.print(f"    {path}", highlight=False)


def _name_what(kind: str, event: str) -> str:
    return f"profile after {event}" if kind == "profile" else event if kind == "event" else f"hook {event}"
