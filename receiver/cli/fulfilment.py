"""`cratewire fulfilment`: connects a store to its warehouse, and shows and steers what goes there."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.core.plural import pluralize
from pipeline.fulfilment import set_up
from pipeline.fulfilment.setting_fields import FIELDS
from pipeline.fulfilment.settings_json import show_form
from pipeline.fulfilment.stored_settings import find_no_tracking_days, load_settings
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.runs import list_last_runs
from pipeline.ledger.fulfilment.warehouses import WarehouseRow
from pipeline.ledger.queries.fulfilment import (
    BoxCount,
    LateBoxes,
    count_boxes,
    count_quarantined,
    list_ages,
    list_late_boxes,
)
from pipeline.settings import read_environment
from pipeline.warehouses import WAREHOUSES
from receiver.cli import fulfilment_batches, fulfilment_boxes, fulfilment_files
from receiver.cli.context import data_option, format_time
from receiver.cli.fulfilment_store import OpenStore, open_store, print_boxes, store_option
from receiver.cli.output import json_option, make_table, report_errors, show

VARIABLE_PREFIX = "CRATEWIRE_WAREHOUSE_"


@click.group()
def fulfilment() -> None:
    """Send a store's boxes to its warehouse, and their tracking back to Cratejoy."""


@fulfilment.command(name="warehouses", epilog="Example: cratewire fulfilment warehouses")
@json_option
def warehouses_command(as_json: bool) -> None:
    """List the kinds of warehouses and their keys."""
    document = [
        {
            "adapter": kind.adapter,
            "title": kind.title,
            "steps": list(kind.steps),
            "keys": [{"key": one.key, "label": one.label, "required": one.required} for one in kind.fields],
        }
        for kind in WAREHOUSES.values()
    ]
    show(document, as_json=as_json, render=partial(_print_warehouses, document))


@fulfilment.command(
    name="connect",
    epilog="Example: cratewire fulfilment connect --store acme --warehouse cartrover --key api_user=USER "
    "--set earliest_order_at=2026-03-01",
)
@store_option
@click.option("--warehouse", required=True, type=click.Choice(sorted(WAREHOUSES)), help="The kind of warehouse.")
@click.option(
    "--key", "keys", multiple=True, metavar="NAME=VALUE", help="A key of the warehouse, as `warehouses` lists."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting; see `fulfilment settings`.")
@data_option
@json_option
@report_errors
def connect_command(
    store: str, warehouse: str, keys: tuple[str, ...], settings: tuple[str, ...], data: Path | None, as_json: bool
) -> None:
    """Check the warehouse's keys and save them.

    The store is in dry run until `go-live`.
    Keys may also come from the environment, as CRATEWIRE_WAREHOUSE_API_KEY. Before, switch off whatever else sends
    this store's boxes to the warehouse: two of them send each box twice.
    """
    given = _read_keys(warehouse) | _split(keys)
    with open_store(data, store) as opened:
        row, facts = set_up.connect_warehouse(opened.context, opened.id, warehouse, given, _split(settings))
    document = {"store": store, "warehouse": row.adapter, "mode": row.mode, "account": facts}
    said = f"{store}: {row.adapter} takes the keys. Boxes are searched for now; nothing is sent before `go-live`."
    show(document, as_json=as_json, render=lambda console: console.print(said))


@fulfilment.command(name="settings", epilog="Example: cratewire fulfilment settings future_days=3 --store acme")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@store_option
@data_option
@json_option
@report_errors
def settings_command(changes: tuple[str, ...], store: str, data: Path | None, as_json: bool) -> None:
    """Show the settings, or change some.

    NAME= sets the default. Boxes that are not sent are judged anew.
    """
    with open_store(data, store) as opened:
        if changes:
            set_up.save_fulfilment_settings(opened.context, opened.id, _split(changes))
        found = load_settings(_get(opened).settings)
    texts = show_form(found)
    document = [{"name": one.key, "value": texts[one.key], "label": one.label, "help": one.help} for one in FIELDS]
    show(document, as_json=as_json, render=partial(_print_settings, document))


@fulfilment.command(name="status", epilog="Example: cratewire fulfilment status --store acme --json")
@store_option
@data_option
@json_option
@report_errors
def status_command(store: str, data: Path | None, as_json: bool) -> None:
    """Show how many boxes are in each state.

    Then the lists that are empty in a healthy shop, and the last runs.
    """
    with open_store(data, store) as opened:
        row, now = _get(opened), opened.context.now()
        with reading(opened.context.engine) as conn:
            late = list_late_boxes(conn, opened.id, now, find_no_tracking_days(row.settings))
            counts, apart = count_boxes(conn, opened.id), count_quarantined(conn, opened.id)
            ages = list_ages(conn, opened.id, now)
            runs = list_last_runs(conn, opened.id)
    document = {
        "store": store,
        "warehouse": row.adapter,
        "mode": row.mode,
        "status": row.status,
        "reason": row.status_reason,
        "trouble": row.trouble,
        "boxes": [asdict(one) for one in counts],
        "quarantined": apart,
        "ages": [asdict(one) for one in ages],
        "runs": [asdict(run) for run in runs],
        **{name: [box.order_number for box in getattr(late, name)] for name in LateBoxes.__slots__},
    }
    show(document, as_json=as_json, render=lambda console: _print_status(console, document, counts))


@fulfilment.command(name="dry-run", epilog="Example: cratewire fulfilment dry-run --store acme")
@store_option
@data_option
@json_option
@report_errors
def dry_run_command(store: str, data: Path | None, as_json: bool) -> None:
    """Show what the first pass has found.

    That is how many boxes of each type and reason there are, and those that would go.
    """
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        report = set_up.build_report(conn, opened.id)
    document = asdict(report) | {"is_whole": report.is_whole}
    show(document, as_json=as_json, render=lambda console: _print_report(console, store, report))


@fulfilment.command(name="go-live", epilog="Example: cratewire fulfilment go-live --store acme --accept 214")
@store_option
@click.option("--accept", type=int, required=True, help="How many boxes would go, as `dry-run` has shown.")
@data_option
@json_option
@report_errors
def go_live_command(store: str, accept: int, data: Path | None, as_json: bool) -> None:
    """Accept the report, and send from now on."""
    with open_store(data, store) as opened:
        row = set_up.go_live(opened.context, opened.id, accept)
    said = f"{store} is live: {pluralize(accept, 'box', 'boxes')} to the warehouse now."
    show({"store": store, "mode": row.mode}, as_json=as_json, render=lambda console: console.print(said))


@fulfilment.command(name="pause", epilog="Example: cratewire fulfilment pause --store acme")
@store_option
@data_option
@json_option
@report_errors
def pause_command(store: str, data: Path | None, as_json: bool) -> None:
    """Send no box until `resume`.

    Cancels, tracking and what is written to Cratejoy go on.
    """
    with open_store(data, store) as opened:
        if not set_up.pause(opened.context, opened.id):
            raise CratewireError(f"store {store}: the warehouse is paused already")
    show({"store": store, "status": "paused"}, as_json=as_json, render=lambda console: console.print("paused"))


@fulfilment.command(name="resume", epilog="Example: cratewire fulfilment resume --store acme")
@store_option
@data_option
@json_option
@report_errors
def resume_command(store: str, data: Path | None, as_json: bool) -> None:
    """Go on where it was paused."""
    with open_store(data, store) as opened:
        if not set_up.resume(opened.context, opened.id):
            raise CratewireError(f"store {store}: the warehouse is not paused")
    show({"store": store, "status": "active"}, as_json=as_json, render=lambda console: console.print("resumed"))


def _get(opened: OpenStore) -> WarehouseRow:
    with reading(opened.context.engine) as conn:
        return set_up.require_warehouse(conn, opened.id)


def _read_keys(warehouse: str) -> dict[str, str]:
    """The keys that the environment has."""
    environment = read_environment()
    names = {one.key: f"{VARIABLE_PREFIX}{one.key.upper()}" for one in WAREHOUSES[warehouse].fields}
    return {key: environment[name] for key, name in names.items() if environment.get(name)}


def _split(pairs: tuple[str, ...]) -> dict[str, str]:
    parts = [pair.partition("=") for pair in pairs]
    if wrong := [name for name, equals, _ in parts if not equals or not name]:
        raise Misconfigured(f"{', '.join(wrong)}: give NAME=VALUE")
    return {name.strip(): value for name, _, value in parts}


def _print_warehouses(document: list[dict[str, Any]], console: Console) -> None:
    for one in document:
        console.print(f"{one['adapter']}: {one['title']}")
        for step in one["steps"]:
            console.print(f"  {step}")
        for key in one["keys"]:
            console.print(f"  --key {key['key']}=…  {key['label']}{'' if key['required'] else ' (optional)'}")


def _print_settings(document: list[dict[str, Any]], console: Console) -> None:
    table = make_table("setting", "value", "what it is")
    for one in document:
        table.add_row(one["name"], one["value"].replace("\n", ", "), f"{one['label']}. {one['help']}".strip())
    console.print(table)


def _print_counts(console: Console, counts: list[BoxCount]) -> None:
    table = make_table("state", "type", "boxes", "reason")
    for one in counts:
        table.add_row(one.state, one.billing_type, str(one.count), one.reason or "")
    console.print(table)


def _print_status(console: Console, document: dict[str, Any], counts: list[BoxCount]) -> None:
    reason = f": {document['reason']}" if document["reason"] else ""
    console.print(f"{document['store']}: {document['warehouse']}, {document['mode']}, {document['status']}{reason}")
    _print_counts(console, counts)
    for name in LateBoxes.__slots__:
        console.print(f"{name.replace('_', ' ')}: {', '.join(document[name]) or 'none'}")
    for one in document["ages"]:
        console.print(f"{one['count']} {one['state']}, the oldest since {format_time(one['oldest_at'])}")
    console.print(f"tracking of no box: {document['quarantined']}")
    for run in document["runs"]:
        outcome = "ok" if run["is_ok"] else run["error"] or "running"
        console.print(f"{run['job']}: {format_time(run['started_at'])}, {outcome}")


def _print_report(console: Console, store: str, report: set_up.DryRunReport) -> None:
    _print_counts(console, report.counts)
    if not report.is_whole:
        console.print(f"The first pass has not ended: {', '.join(report.unread)}.")
        return
    print_boxes(console, report.boxes)
    accept = f"cratewire fulfilment go-live --store {store} --accept {report.would_go}"
    console.print(f"{report.would_go} would go. Accept it: {accept}")


for _command in (*fulfilment_boxes.COMMANDS, *fulfilment_batches.COMMANDS, *fulfilment_files.COMMANDS):
    fulfilment.add_command(_command)
