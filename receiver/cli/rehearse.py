"""`cratewire rehearse`: what would be different with a changed mapping, another setting, platform or version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.consent import GIFT_RECIPIENT_POLICIES, MARKETPLACE_POLICIES
from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, record_store_action
from pipeline.ledger.connections import format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import accept_rehearsal, find_rehearsal, insert_rehearsal
from pipeline.ledger.stores import StoreRow
from pipeline.mapping.rules import AS_IT_IS, change_mapping, format_mapping, parse_mapping
from pipeline.rehearsal.change import RehearsedChange, choose_events, dump_change
from pipeline.rehearsal.run import DAY_US, Rehearsal, RehearsalReport, rehearse
from pipeline.rehearsal.saved import save_report
from pipeline.rehearsal.side_process import THIS_VERSION, find_version
from receiver.cli.connection_mapping import read_pairs
from receiver.cli.connection_people import choose_connection
from receiver.cli.context import data_option, get_named_store, open_context
from receiver.cli.output import json_option, make_console, report_errors, show
from receiver.cli.rehearsal_report import build_document, print_report

_EXAMPLES = (
    'Examples: cratewire rehearse --store acme --event "order_new=Placed Order"; '
    "cratewire rehearse --store acme --add-platform klaviyo; cratewire rehearse --store acme --against ../next"
)


@click.command(epilog=_EXAMPLES)
@click.option("--store", "name", help="The store's name, as given to `cratewire connect`.")
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
@click.option("--save", "saves", is_flag=True, help="Keep the counts, so that they can be accepted.")
@click.option("--accept", "accepted", type=int, metavar="ID", help="Accept what a saved rehearsal has found.")
@data_option
@json_option
@report_errors
def rehearse_command(
    name: str | None, against: Path | None, accepted: int | None, data: Path | None, as_json: bool, **given: Any
) -> None:
    """Run recorded hooks again, with a change, and show what would be sent otherwise.

    Nothing is sent, and nothing is written but a folder of the data directory that is deleted at the end.
    """
    if accepted is not None:
        _accept(accepted, data)
        return
    if name is None:
        raise Misconfigured("name the store: --store NAME")
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store = get_named_store(conn, name)
            change = _read_change(conn, store, given)
            titles = _name_connections(conn, store, change)
        version = find_version(against.resolve()) if against else THIS_VERSION
        if change.is_empty and against is None:
            raise Misconfigured("say what to change: see `cratewire rehearse --help`")
        rehearsal = Rehearsal(store, context.now() - given["days"] * DAY_US, change, version)
        console = make_console(stderr=True)
        with Progress(console=console, transient=True, disable=as_json or not console.is_terminal) as progress:
            task = progress.add_task("hooks", total=None)
            with rehearse(
                context, rehearsal, lambda done, total: progress.update(task, completed=done, total=total)
            ) as (report, differences):
                progress.stop()
                listed = differences if given["lists_all"] else None
                document = build_document(report, titles, listed)
                if given["saves"]:
                    document["saved"] = _save(context, rehearsal, report, against)
                show(document, as_json=as_json, render=lambda out: print_report(out, report, titles, listed))
                if given["saves"] and not as_json:
                    number = document["saved"]
                    console.print(f"Saved. `cratewire rehearse --accept {number}` accepts it.", highlight=False)


def _save(context: Context, rehearsal: Rehearsal, report: RehearsalReport, against: Path | None) -> int:
    """Save the counts of a rehearsal, and return its id."""
    now, store_id = context.now(), rehearsal.store.id
    with writing(context.engine) as conn:
        days = (now - rehearsal.since) // DAY_US
        number = insert_rehearsal(conn, store_id, dump_change(rehearsal.change), days, now, is_waiting=False)
    save_report(context, number, store_id, report, report.after if against else None)
    return number


def _accept(number: int, data: Path | None) -> None:
    with open_context(data) as context, writing(context.engine) as conn:
        row = find_rehearsal(conn, number)
        if row is None or not accept_rehearsal(conn, number, context.now()):
            raise Misconfigured(f"there is no finished rehearsal {number}: `cratewire rehearse … --save` makes one")
        about = {"rehearsal": number}
        record_store_action(conn, row.store_id, COMMAND_LINE_ACTOR, "rehearsal.accepted", context.now(), about)
    click.echo(f"Accepted: {pluralize(row.differences or 0, 'difference')} of {row.store}.")


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
