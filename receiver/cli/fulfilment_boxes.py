"""`cratewire fulfilment orders|show|release|retry|resend|decide|tracking`: one box, and what a person decides of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import State
from pipeline.fulfilment.requests import Requests
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.events import list_order_events
from pipeline.ledger.fulfilment.orders import OrderRow, find_order
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.queries.boxes import BoxFilter, list_box_page
from receiver.cli.context import data_option, format_time
from receiver.cli.fulfilment_store import open_store, print_boxes, store_option
from receiver.cli.output import json_option, make_table, report_errors, show

MAX_SHOWN = 1_000
_SHOWN = (
    *("order_number", "shipment_id", "kind", "billing_type", "state", "reason", "detail", "notice", "lines", "cycle"),
    *("is_gift", "country", "target_at", "due_at", "first_seen_at", "sent_at", "shipped_at", "confirmed_at"),
    *("attempts", "next_attempt_at", "external_id", "cratejoy_checked_at", "warehouse_checked_at"),
)
number_argument = click.argument("order_number")


@click.command(name="orders", epilog="Example: cratewire fulfilment orders --store acme --state held")
@store_option
@click.option("--state", "states", multiple=True, type=click.Choice([one.value for one in State]), help="Only these.")
@click.option("--reason", type=click.Choice(sorted(REASONS)), help="Only those with this reason.")
@click.option("--limit", type=click.IntRange(1, MAX_SHOWN), default=50, show_default=True, help="How many at most.")
@data_option
@json_option
@report_errors
def orders_command(
    store: str, states: tuple[str, ...], reason: str | None, limit: int, data: Path | None, as_json: bool
) -> None:
    """List boxes, the last to change first.

    Names and addresses are not shown.
    """
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        boxes = list_box_page(conn, BoxFilter((opened.id,), states, reason=reason), limit=limit)
    show([asdict(box) for box in boxes], as_json=as_json, render=lambda console: print_boxes(console, boxes))


@click.command(name="show", epilog="Example: cratewire fulfilment show SUB-90000001 --store acme")
@number_argument
@store_option
@data_option
@json_option
@report_errors
def show_command(order_number: str, store: str, data: Path | None, as_json: bool) -> None:
    """Show one box and all that happened to it."""
    with open_store(data, store) as opened, reading(opened.context.engine) as conn:
        row = find_order(conn, opened.id, order_number.strip().upper())
        if row is None:
            raise Misconfigured(f"store {store} has no box {order_number}")
        events, parcels = list_order_events(conn, [row.id]), list_packages(conn, [row.id])
    document = {
        **_describe(row),
        "parcels": [asdict(one) for one in parcels],
        "events": [asdict(one) for one in events],
    }
    show(document, as_json=as_json, render=lambda console: _print_box(console, document))


@click.command(name="release", epilog="Example: cratewire fulfilment release SUB-90000001 --store acme")
@number_argument
@store_option
@data_option
@json_option
@report_errors
def release_command(order_number: str, store: str, data: Path | None, as_json: bool) -> None:
    """Send a held box all the same."""
    _decide(data, store, order_number, "release", as_json=as_json)


@click.command(name="retry", epilog="Example: cratewire fulfilment retry SUB-90000001 --store acme")
@number_argument
@store_option
@data_option
@json_option
@report_errors
def retry_command(order_number: str, store: str, data: Path | None, as_json: bool) -> None:
    """Try now what has failed or waits.

    That is the sending, the confirming, or the cancel.
    """
    _decide(data, store, order_number, "retry", as_json=as_json)


@click.command(name="decide", epilog="Example: cratewire fulfilment decide SUB-90000001 ignore --store acme")
@number_argument
@click.argument("what", type=click.Choice(["mark-sent", "write-tracking", "ignore", "dismiss-notice"]))
@store_option
@data_option
@json_option
@report_errors
def decide_command(order_number: str, what: str, store: str, data: Path | None, as_json: bool) -> None:
    """Say what is so of a box.

    The warehouse has it, its tracking is to be written to Cratejoy, it stays as it is, or its notice was seen.
    """
    _decide(data, store, order_number, what.replace("-", "_"), as_json=as_json)


@click.command(name="resend", epilog="Example: cratewire fulfilment resend SUB-90000001 --store acme")
@number_argument
@store_option
@data_option
@json_option
@report_errors
def resend_command(order_number: str, store: str, data: Path | None, as_json: bool) -> None:
    """Send a cancelled box again under a new number.

    SUB-90000001 becomes SUB-90000001-R1.
    """
    with open_store(data, store) as opened:
        row = Requests(opened.context, opened.id).resend(order_number)
    _show_row(row, as_json=as_json)


@click.command(name="tracking", epilog="Example: cratewire fulfilment tracking --store acme")
@store_option
@click.option("--attach", "attached", type=(int, str), metavar="ID ORDER", help="It belongs to this box.")
@click.option("--dismiss", type=int, metavar="ID", help="It belongs to none of our boxes.")
@data_option
@json_option
@report_errors
def tracking_command(
    store: str, attached: tuple[int, str] | None, dismiss: int | None, data: Path | None, as_json: bool
) -> None:
    """List tracking of no known box, or decide about one.

    It is neither written to Cratejoy nor acknowledged.
    """
    with open_store(data, store) as opened:
        if attached is not None:
            Requests(opened.context, opened.id).attach(*attached)
        if dismiss is not None:
            Requests(opened.context, opened.id).dismiss(dismiss)
        with reading(opened.context.engine) as conn:
            kept = list_quarantined(conn, opened.id)
    document = [asdict(one) for one in kept]
    show(document, as_json=as_json, render=lambda console: _print_quarantined(console, document))


def _decide(data: Path | None, store: str, order_number: str, word: str, *, as_json: bool) -> None:
    with open_store(data, store) as opened:
        requests = Requests(opened.context, opened.id)
        is_notice = word == "dismiss_notice"
        row = requests.dismiss_notice(order_number) if is_notice else requests.decide(order_number, word)
    _show_row(row, as_json=as_json)


def _describe(row: OrderRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in _SHOWN}
    reason = REASONS.get(row.reason or "")
    return {**shown, "text": reason.text if reason else None, "cure": reason.cure if reason else None}


def _show_row(row: OrderRow, *, as_json: bool) -> None:
    said = f"{row.order_number}: {row.state.value}"
    show(_describe(row), as_json=as_json, render=lambda console: console.print(said))


def _print_box(console: Console, document: dict[str, Any]) -> None:
    said = " ".join(filter(None, (document["text"], document["cure"])))
    reason = f" ({document['reason']})" if document["reason"] else ""
    console.print(f"{document['order_number']}: {document['state']}{reason}")
    if said:
        console.print(said)
    for one in document["parcels"]:
        console.print(f"parcel {one['tracking_number']} {one['carrier']} {format_time(one['shipped_at'])}")
    table = make_table("when", "what", "state", "why")
    for event in document["events"]:
        table.add_row(format_time(event["at"]), event["kind"], event["to_state"] or "", event["reason"] or "")
    console.print(table)


def _print_quarantined(console: Console, document: list[dict[str, Any]]) -> None:
    table = make_table("id", "order", "tracking", "found")
    for one in document:
        table.add_row(str(one["id"]), one["order_number"], one["tracking_number"], format_time(one["found_at"]))
    console.print(table)


COMMANDS = (
    orders_command,
    show_command,
    release_command,
    retry_command,
    decide_command,
    resend_command,
    tracking_command,
)
