"""`cratewire statement`: what was received of a store in a month, and whether its events are as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.events.event_chain import ChainLine
from pipeline.ledger.engine import reading
from pipeline.operations.statements import (
    CheckedMonth,
    StoreStatement,
    build_statement,
    check_months,
    close_months_of,
    parse_month,
    read_month_lines,
)
from receiver.cli.context import data_option, get_named_store, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show


@click.command(epilog="Example: cratewire statement --store acme --month 2026-11 --verify")
@click.option("--store", required=True, help="The store.")
@click.option("--month", "typed", required=True, help="The month in UTC, such as 2026-11.")
@click.option("--verify", is_flag=True, help="Compute the hashes again; exit with code 1 if an event was changed.")
@click.option("--lines", is_flag=True, help="Print a closed month's lines, from which anyone can compute its hash.")
@data_option
@json_option
@report_errors
def statement(store: str, typed: str, verify: bool, lines: bool, data: Path | None, as_json: bool) -> None:
    """Show what was received of a store in a month and what became of it.

    Months that have ended are closed first: their events then have a hash, which any later change would change.
    """
    month = parse_month(typed)
    with open_context(data) as context:
        with reading(context.engine) as conn:
            store_id = get_named_store(conn, store).id
        close_months_of(context, store_id)
        with reading(context.engine) as conn:
            if lines:
                _print_lines(*read_month_lines(conn, store_id, month.name))
                return
            found = build_statement(conn, store_id, month)
            checked = check_months(conn, store_id, month.name) if verify else []
    if verify and found.hash is None:
        raise Misconfigured(f"{month.name} is not closed yet: there is nothing to compare its events with")
    document = build_document(store, found) | ({"verified": build_checks(checked)} if verify else {})
    show(document, as_json=as_json, render=lambda console: _print(console, store, found, checked))
    if not all(one.holds for one in checked):
        raise SystemExit(1)


def build_document(store: str, found: StoreStatement) -> dict[str, Any]:
    """The statement as a JSON document; times in µs."""
    return {
        "store": store,
        "month": found.month.name,
        "since": found.month.since,
        "until": found.month.until,
        "counts": found.counts,
        "counts_at_closing": found.counts_at_closing,
        "expected": found.expected,
        "missed": found.missed,
        "late": found.late,
        "events": found.events,
        "previous": found.previous,
        "hash": found.hash,
        "closed_at": found.closed_at,
    }


def build_checks(checked: Sequence[CheckedMonth]) -> list[dict[str, Any]]:
    """The months whose chains were computed again, the oldest first."""
    return [
        {
            "month": one.month,
            "holds": one.holds,
            "events": one.events,
            "hash": one.hash,
            "closed_events": one.closed_events,
            "closed_hash": one.closed_hash,
        }
        for one in checked
    ]


def _print_lines(previous: str, lines: Iterable[ChainLine]) -> None:
    click.echo(previous)
    for line in lines:
        click.echo(str(line))


def _print(console: Console, store: str, found: StoreStatement, checked: Sequence[CheckedMonth]) -> None:
    state = "open" if found.closed_at is None else f"closed {format_short_time(found.closed_at)} UTC"
    console.print(f"{store}, {found.month.name} ({state}): {pluralize(found.events, 'event')}")
    table = make_table("", "now", "" if found.counts_at_closing is None else "at closing")
    for name, number in found.counts.items():
        table.add_row(name, str(number), str((found.counts_at_closing or {}).get(name, "")))
    console.print(table)
    shown = pluralize(found.expected, "event")
    console.print(f"Of {shown} that the store's API has shown, {found.missed} came by no hook, {found.late} too late.")
    if found.hash is not None:
        console.print(f"hash {found.hash}")
    for one in checked:
        console.print(_describe_check(one), soft_wrap=True)


def _describe_check(one: CheckedMonth) -> str:
    if one.holds:
        return f"{one.month}: {pluralize(one.events, 'event')}, as they were when the month was closed"
    if not one.begins_where_the_last_ended:
        return f"{one.month}: does not begin with the hash of the month before: a statement was changed or removed"
    if one.events != one.closed_events:
        return f"{one.month}: {pluralize(one.events, 'event')}, but {one.closed_events} when the month was closed"
    return f"{one.month}: {pluralize(one.events, 'event')}, at least one of them changed since the month was closed"
