"""`cratewire flow`: of all that was received, how much is where; and whether the kept counts are right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.ledger.counts.recount import Difference, correct_counts, find_differences, find_total_differences
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import Flow, list_numbers, load_flow
from pipeline.ledger.stores import find_store
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import format_short_time, json_option, make_table, report_errors, show

_HOUR_US = 3_600_000_000
_MICROS = 1_000_000
_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
_MAX_SHOWN = 20  # differences


@click.group()
def flow() -> None:
    """Show where all that was received is; check the kept counts."""


@flow.command(name="show", epilog="Example: cratewire flow show --store acme --hours 720 --by day --json")
@click.option("--store", help="Only this store; by default all.")
@click.option("--hours", type=click.IntRange(1, 87_600), default=24, show_default=True, help="The last hours.")
@click.option("--since", type=_TIME, help="From this time in UTC on, in the place of the last hours.")
@click.option("--until", type=_TIME, help="Until this time in UTC; by default until now.")
@click.option("--by", "step", type=click.Choice(["hour", "day"]), default="hour", show_default=True)
@data_option
@json_option
@report_errors
def show_command(  # noqa: PLR0917 click passes each option
    store: str | None,
    hours: int,
    since: datetime | None,
    until: datetime | None,
    step: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Show of all that was received in a span how much is where. Every hook is in one place: the numbers add up."""
    with open_context(data) as context, reading(context.engine) as conn:
        end = context.now() if until is None else _as_micros(until)
        begin = end - hours * _HOUR_US if since is None else _as_micros(since)
        if begin >= end:
            raise click.BadParameter("it has to be before --until", param_hint="--since")
        stores = None if store is None else [_find_store_id(conn, store)]
        found = load_flow(conn, stores, begin, end, "day" if step == "day" else "hour")
    show(build_document(found), as_json=as_json, render=lambda console: _print_flow(console, found))


@flow.command(name="recount", epilog="Example: cratewire flow recount --check")
@click.option("--check", is_flag=True, help="Correct nothing; exit with code 1 if a count is wrong.")
@data_option
@json_option
@report_errors
def recount_command(check: bool, data: Path | None, as_json: bool) -> None:
    """Compare the kept counts with the rows they count.

    It reads all events, and corrects the counts.
    """
    with open_context(data) as context:
        with reading(context.engine) as conn:
            found = [*find_differences(conn), *find_total_differences(conn)]
        if found and not check:
            with writing(context.engine) as conn:
                correct_counts(conn, found)
    document = {"differences": as_document(found), "corrected": bool(found) and not check}
    show(document, as_json=as_json, render=lambda console: _print_differences(console, found, check=check))
    if check and found:
        raise SystemExit(1)


def build_document(found: Flow) -> dict[str, Any]:
    """The flow as a JSON document; times in µs."""
    return {
        "since": found.since,
        "until": found.until,
        "step": found.step,
        "total": list_numbers(found.total),
        "parts": [{"since": part.since, "until": part.until, **list_numbers(part.counts)} for part in found.parts],
    }


def _find_store_id(conn: Connection, name: str) -> int:
    found = find_store(conn, name)
    if found is None:
        raise Misconfigured(f"there is no store {name}; `cratewire stores list` shows them")
    return found.id


def _as_micros(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp()) * _MICROS


def _print_flow(console: Console, found: Flow) -> None:
    names = list(list_numbers(found.total))
    table = make_table("from (UTC)", *names)
    for part in found.parts:
        table.add_row(format_short_time(part.since), *map(str, list_numbers(part.counts).values()))
    table.add_row("all", *map(str, list_numbers(found.total).values()))
    console.print(table)
    console.print("received = repeats + unreadable + kept + withheld + waiting + sent + refused", soft_wrap=True)


def _print_differences(console: Console, found: Sequence[Difference], *, check: bool) -> None:
    if not found:
        console.print("Every count is right.")
        return
    verb = "wrong" if check else "corrected"
    console.print(f"{pluralize(len(found), 'count')} {verb}:")
    for one in found[:_MAX_SHOWN]:
        console.print(f"- store {one.store_id}, {one.what} {one.when}, {one.outcome}: {one.missing:+d}", soft_wrap=True)
    if check:
        console.print("`cratewire flow recount` corrects them.")
